//go:build mutate_replay

package persistence

const storedContent = "body"

func contentOf(_, stored string) string { return stored }
