package chat

import (
	"context"
	"fmt"
	"time"
)

const (
	// purgeBatch is how many messages or events one transaction removes.
	purgeBatch = 200
	// farewellBatch is how many former members one transaction tells.
	farewellBatch = 100
	// PurgeAfter is how long the rows of a deleted chat stay: every node has noticed the
	// deletion in its log by then.
	PurgeAfter = 5 * time.Minute
)

// DeleteChat takes a chat from all of its members at once; its rows follow, see Purge.
// For administrators, and it is in the audit log. Errors: forbidden, not_found.
func (s *Service) DeleteChat(ctx context.Context, actor Actor, chatID string) error {
	if err := s.charge(ctx, actor.userID, costOf(0)); err != nil {
		return err
	}
	return s.administer(ctx, actor, chatID, func(ctx context.Context, tx AdminTx) (audit, error) {
		if !ValidID(chatID) {
			return audit{}, noChat()
		}
		r, err := tx.Retention(ctx, chatID)
		if err != nil {
			return audit{}, err
		}
		members, err := tx.DeleteChat(ctx, chatID)
		return audit{AuditChatDeleted, fmt.Sprintf("%s %q with %d members", r.Kind, r.Name, members)}, err
	})
}

// Purge tells former members of deleted chats, and removes the rows of those that were
// deleted longer ago than after; it returns how many. It works in small transactions, each
// followed by a pause as long as the transaction took, and goes on where it was
// interrupted. Several nodes may do it at once.
func (s *Service) Purge(ctx context.Context, after time.Duration) (purged int, err error) {
	for {
		chatID, err := s.store.UntoldChat(ctx)
		if err != nil {
			return 0, err
		}
		if chatID == "" {
			break
		}
		if err := repeat(ctx, func() (bool, error) { return s.store.Farewell(ctx, chatID, farewellBatch) }); err != nil {
			return 0, err
		}
	}
	for {
		chatID, err := s.store.DeletedChat(ctx, after)
		if err != nil || chatID == "" {
			return purged, err
		}
		if err := repeat(ctx, func() (bool, error) { return s.store.PurgeChat(ctx, chatID, purgeBatch) }); err != nil {
			return purged, err
		}
		purged++
	}
}

// repeat runs step until it is done.
func repeat(ctx context.Context, step func() (done bool, err error)) error {
	for {
		began := time.Now()
		done, err := step()
		if err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Since(began)):
		}
	}
}
