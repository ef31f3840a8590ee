//go:build !mutate_tail_first

package chat

// searchOrder reads what is not indexed before it asks the index. The other way
// round, what is indexed between the two would be in neither.
func searchOrder(readTail, askIndex func() error) []func() error {
	return []func() error{readTail, askIndex}
}
