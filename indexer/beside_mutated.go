//go:build mutate_beside

package indexer

const changesBeside = false
