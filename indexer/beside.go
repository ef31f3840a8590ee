//go:build !mutate_beside

package indexer

// changesBeside: what changes during a rebuild goes into the new index too.
const changesBeside = true
