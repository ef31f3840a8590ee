package persistence

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"hash/fnv"
)

// userLock is what of a user a transaction locks besides rows, until it ends.
type userLock int

// The locks of users. A transaction takes all of the first kind before the streams and all
// of the second after them, each in one order, so that there is no deadlock. Of the third
// and then the fourth it takes one each, and waits for no other lock that a holder of one
// might have.
const (
	inboxes   userLock = 1 + iota // who puts the user into a chat
	ownChats                      // who gives the user a chat of their own
	inviters                      // who makes an invitation
	mailboxes                     // who has a letter sent to an address, which stands for the user; last of all
)

// lockUsers waits for a lock of each user. They are PostgreSQL's advisory locks: a row of
// users is written on many ways, in other orders. Two users may share a number, which costs
// a wait. A node has at most 16 × 100 of them (chat.NewChat has at most 100 members), and
// its 40 connections and more make room for 64 each in the server's table of locks.
func (s *Store) lockUsers(ctx context.Context, c *conn, lock userLock, userIDs []string) error {
	if s.d.lockUsers == "" {
		return nil
	}
	numbers := make([]int32, len(userIDs))
	for i, id := range userIDs {
		h := fnv.New32a()
		_, _ = h.Write([]byte(id))    // never fails
		numbers[i] = int32(h.Sum32()) //nolint:gosec // any 32 bits will do
	}
	b, err := json.Marshal(numbers)
	if err != nil {
		return fmt.Errorf("encode locks: %w", err)
	}
	_, err = collect(ctx, c, func(rows *sql.Rows, void *any) error { return rows.Scan(void) },
		s.d.lockUsers, int(lock), string(b))
	if err != nil {
		return fmt.Errorf("lock users: %w", err)
	}
	return nil
}
