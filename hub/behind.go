//go:build !mutate_behind

package hub

// waitsForStream says that an Attach whose position is ahead of the stream waits for it: what lies between is for those
// who were members then.
const waitsForStream = true
