//go:build !mutate_key_order

package persistence

// keyBeforeMembership answers a known key first: who was removed since may still
// learn what became of a send.
const keyBeforeMembership = true
