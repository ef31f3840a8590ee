//go:build !mutate_replay

package persistence

// storedContent is what the log keeps of a new message: nothing that a person wrote.
const storedContent = "'{}'"

// contentOf is what a replayed event shows: the message as it is now.
func contentOf(current, _ string) string { return current }
