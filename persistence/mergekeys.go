//go:build !mutate_merge_keys

package persistence

// mergeKeys lets the first of equal keys in a group answer the others: the
// database would refuse the second row, and the whole group with it.
const mergeKeys = true
