//go:build mutate_leaving

package hub

// lastFramesFirst is broken on purpose: frames of the new subscription overtake those of the ended one.
const lastFramesFirst = false
