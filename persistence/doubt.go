//go:build !mutate_doubt

package persistence

import (
	"context"
	"fmt"
)

// stored looks under the lock whether the attempt in doubt was committed.
func (t *changeTx) stored(ctx context.Context, doubt *changeTx) (bool, error) {
	if doubt == nil || len(doubt.events) == 0 {
		return false, nil
	}
	first := doubt.events[0]
	var found bool
	err := t.c.one(ctx, "SELECT count(*) > 0 FROM events WHERE stream_id = $1 AND seq = $2 AND op_id = $3",
		[]any{first.StreamID, first.Seq, t.change.OpID}, &found)
	if err != nil {
		return false, fmt.Errorf("look for the change in doubt: %w", err)
	}
	if found {
		t.events = doubt.events
	}
	return found, nil
}
