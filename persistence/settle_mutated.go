//go:build mutate_settle

package persistence

func storedBefore(*pending, known) bool { return false }
