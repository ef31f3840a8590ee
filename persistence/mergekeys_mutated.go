//go:build mutate_merge_keys

package persistence

const mergeKeys = false
