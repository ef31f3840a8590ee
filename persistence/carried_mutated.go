//go:build mutate_carried

package persistence

func epochOf(history string) string { return history }
