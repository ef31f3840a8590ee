package chat

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Retention is a chat as an administrator sees it. Messages older than Days are
// deleted; 0 keeps them forever.
type Retention struct {
	ChatID    string `json:"chat_id"`
	Kind      Kind   `json:"kind"`
	Name      string `json:"name"`
	CreatedAt Time   `json:"created_at"`
	Days      int    `json:"retention_days"`
}

const (
	maxRetention = 36500 // days
	// expireBatch is how many messages one transaction deletes.
	expireBatch = 50
	// RetentionEvery is how often one of the nodes looks for expired messages.
	RetentionEvery = 10 * time.Minute
)

// Expiring is the part of a chat that may hold expired messages: those since From
// and before Before, as long as its retention is Days.
type Expiring struct {
	ChatID       string
	Days         int
	From, Before Time
}

// Retentions lists chats by id, all or those whose name contains q; for
// administrators, who may not read what is in them.
func (s *Service) Retentions(ctx context.Context, actor Actor, q string, p Page) ([]Retention, string, error) {
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		return nil, "", err
	}
	if err := validText("q", q, 0, maxChatName); err != nil {
		return nil, "", err
	}
	return s.store.Retentions(ctx, strings.TrimSpace(q), p)
}

// SetRetention sets for how many days a chat keeps its messages; 0 is forever.
// Errors: forbidden, not_found, bad_request.
func (s *Service) SetRetention(ctx context.Context, actor Actor, chatID string, days int) (r Retention, err error) {
	err = s.administer(ctx, actor, chatID, func(ctx context.Context, tx AdminTx) (audit, error) {
		if !ValidID(chatID) {
			return audit{}, noChat()
		}
		if days < 0 || days > maxRetention {
			return audit{}, Errorf(BadRequest, "days must be 0 to %d", maxRetention)
		}
		if r, err = tx.Retention(ctx, chatID); err != nil || r.Days == days {
			return audit{}, err
		}
		was := r.Days
		r.Days = days
		return audit{AuditRetentionSet, strconv.Itoa(was) + " to " + strconv.Itoa(days) + " days"}, tx.SaveRetention(ctx, chatID, days)
	})
	return r, err
}

// Expire deletes the messages that their chats' retention no longer covers and
// returns how many. It works in small transactions, each followed by a pause as
// long as the transaction took. It does nothing if another node is sweeping or has
// swept within RetentionEvery.
func (s *Service) Expire(ctx context.Context) (deleted int, err error) {
	sweep := s.newID()
	ours, err := s.store.ClaimRetention(ctx, sweep, RetentionEvery)
	if err != nil || !ours {
		return 0, err
	}
	for after := ""; ; {
		chats, err := s.store.ExpiringChats(ctx, after, expireBatch)
		if err != nil || len(chats) == 0 {
			return deleted, err
		}
		for _, c := range chats {
			n, err := s.expireChat(ctx, sweep, c)
			deleted += n
			if err != nil {
				return deleted, err
			}
		}
		after = chats[len(chats)-1].ChatID
	}
}

func (s *Service) expireChat(ctx context.Context, sweep string, c Expiring) (deleted int, err error) {
	for {
		began := time.Now()
		ids, err := s.store.ExpiredMessages(ctx, c, expireBatch)
		if err != nil {
			return deleted, err
		}
		if len(ids) == 0 {
			return deleted, s.store.SaveExpired(ctx, c)
		}
		n, err := s.expireMessages(ctx, c.ChatID, ids)
		deleted += n
		if err != nil {
			return deleted, err
		}
		select {
		case <-ctx.Done():
			return deleted, ctx.Err()
		case <-time.After(time.Since(began)):
		}
		ours, err := s.store.ClaimRetention(ctx, sweep, RetentionEvery)
		if err == nil && !ours {
			err = Errorf(Conflict, "this sweep took too long and another node took over")
		}
		if err != nil {
			return deleted, err
		}
	}
}

// expireMessages deletes what nobody has deleted in the meantime. The events have
// no actor.
func (s *Service) expireMessages(ctx context.Context, chatID string, ids []string) (deleted int, err error) {
	err = s.change(ctx, "", Change{ChatID: chatID}, Cost{}, func(ctx context.Context, tx Tx) error {
		deleted = 0
		for _, id := range ids {
			m, err := tx.Message(ctx, id)
			if err != nil {
				return err
			}
			if m.DeletedAt != nil {
				continue
			}
			if _, err := erase(ctx, tx, "", m); err != nil {
				return err
			}
			deleted++
		}
		return nil
	})
	return deleted, err
}
