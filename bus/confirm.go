//go:build !mutate_confirm

package bus

// confirmsFirst says that the node is told to compare positions only when the
// server has taken every subscription: an event that comes between the two would
// be missed until the next regular check.
const confirmsFirst = true
