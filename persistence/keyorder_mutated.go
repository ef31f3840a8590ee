//go:build mutate_key_order

package persistence

const keyBeforeMembership = false
