//go:build mutate_tail_first

package chat

func searchOrder(readTail, askIndex func() error) []func() error {
	return []func() error{askIndex, readTail}
}
