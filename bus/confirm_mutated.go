//go:build mutate_confirm

package bus

// confirmsFirst is broken on purpose: positions are compared at once.
const confirmsFirst = false
