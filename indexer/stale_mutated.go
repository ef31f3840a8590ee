//go:build mutate_stale_read

package indexer

const distrustsOldReads = false
