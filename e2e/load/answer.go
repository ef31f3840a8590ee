package load

import (
	"errors"
	"time"

	"fechatter/client"
)

// answer is all that is read of an answer to a command or a request.
type answer struct {
	ID        string    `json:"id"`
	MessageID string    `json:"message_id"`
	Seq       int64     `json:"seq"`
	Version   int64     `json:"version"`
	ReadSeq   int64     `json:"read_seq"`
	TS        time.Time `json:"ts"`
	CreatedAt time.Time `json:"created_at"`
}

// id is the message's, whichever way it was sent.
func (a answer) id() string {
	if a.MessageID != "" {
		return a.MessageID
	}
	return a.ID
}

func (a answer) ts() int64 {
	if !a.TS.IsZero() {
		return a.TS.UnixMilli()
	}
	return a.CreatedAt.UnixMilli()
}

// final reports whether asking again would change nothing.
func final(err error) bool {
	if err == nil {
		return true
	}
	switch codeOf(err) {
	case "", "unavailable", "overloaded", "unknown_outcome", "rate_limited", "internal":
		return false
	}
	return true
}

// codeOf is why the server refused; "" if it is not known that it did.
func codeOf(err error) string {
	if p, ok := errors.AsType[*client.Problem](err); ok {
		return p.Code
	}
	return ""
}

// unanswered reports whether it is not known what became of a command.
func unanswered(err error) bool { return err != nil && codeOf(err) == "" }
