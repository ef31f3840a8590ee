//go:build !mutate_stale_read

package indexer

// distrustsOldReads: a process that stood still between reading the outbox and
// writing the index may no longer hold the lease, and gives up what it read.
const distrustsOldReads = true
