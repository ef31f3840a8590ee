//go:build mutate_recheck

package chat

const rechecks = false
