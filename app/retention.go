package app

import (
	"context"
	"time"
)

// retentionLook is how often a node asks whether a sweep is due: when the node
// that does them dies, another takes over.
const retentionLook = time.Minute

// keepRetention deletes what has expired, until ctx ends.
func (n *Node) keepRetention(ctx context.Context) error {
	ticker := time.NewTicker(retentionLook)
	defer ticker.Stop()
	for {
		deleted, err := n.chat.Expire(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			n.log.Warn("delete expired messages", "deleted", deleted, "error", err)
		case deleted > 0:
			n.log.Info("expired messages deleted", "deleted", deleted)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
