package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"fechatter/chat"
)

// failure is what a driver's error means to the store.
type failure int

const (
	failOther       failure = iota // a fault of the program or the data
	failUnique                     // a unique index is violated
	failReference                  // a foreign key is violated
	failRetry                      // rolled back; a repetition may succeed
	failUnavailable                // the database cannot work at the moment
)

// retryAfter is how long callers are told to wait while the database is unavailable.
const retryAfter = time.Second

// mapError is the only place where a driver's error becomes what a caller sees. The
// driver's text stays in the cause.
func (s *Store) mapError(err error, what string) error {
	if err == nil {
		return nil
	}
	if e := (*chat.Error)(nil); errors.As(err, &e) {
		return err
	}
	cause := fmt.Errorf("%s: %w", what, err)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return unavailable(cause, "the database did not answer in time")
	case s.d.classify(err) == failRetry:
		return unavailable(cause, "the database is busy")
	case s.d.classify(err) == failUnavailable:
		return unavailable(cause, "the database is not available")
	}
	return cause
}

func unavailable(cause error, detail string) error {
	e := chat.Wrap(chat.Unavailable, cause, detail)
	e.RetryAfter = retryAfter
	return e
}

func unknownOutcome(cause error) error {
	e := chat.Wrap(chat.UnknownOutcome, cause, "the outcome is unknown: try again with the same key")
	e.RetryAfter = retryAfter
	return e
}

// orNotFound turns sql.ErrNoRows into the refusal.
func orNotFound(err error, refusal *chat.Error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return refusal
	}
	return err
}

func noUser() *chat.Error    { return chat.Errorf(chat.NotFound, "there is no such user") }
func noSession() *chat.Error { return chat.Errorf(chat.NotFound, "there is no such session") }
func noChat() *chat.Error    { return chat.Errorf(chat.NotFound, "there is no such chat") }
func noMember() *chat.Error  { return chat.Errorf(chat.NotFound, "there is no such member") }
func noMessage() *chat.Error { return chat.Errorf(chat.NotFound, "there is no such message") }
