package load

import (
	"encoding/json"
	"errors"
	"time"
)

// answer is what a command or a REST call was answered with, of all that is read.
type answer struct {
	ID        string    `json:"id"`
	MessageID string    `json:"message_id"`
	Seq       int64     `json:"seq"`
	Version   int64     `json:"version"`
	ReadSeq   int64     `json:"read_seq"`
	TS        time.Time `json:"ts"`
	CreatedAt time.Time `json:"created_at"`
	Replayed  bool      `json:"replayed"`
	Code      string    `json:"code"`
	Detail    string    `json:"detail"`
}

// id is the message's, by whatever way it was sent.
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

// errNoAnswer says that it is not known what became of a command.
var errNoAnswer = errors.New("no answer")

// refusal is an answer that says no.
type refusal struct{ answer }

func (r *refusal) Error() string { return r.Code + ": " + r.Detail }

// settled reports whether asking again would change nothing.
func settled(err error) bool {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		return err == nil
	}
	switch r.Code {
	case "unavailable", "overloaded", "unknown_outcome", "rate_limited", "internal":
		return false
	}
	return true
}

func codeOf(err error) string {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.Code
	}
	return ""
}

func parseAnswer(data []byte, refused bool) (answer, error) {
	var a answer
	if len(data) > 0 {
		if err := json.Unmarshal(data, &a); err != nil {
			return a, errors.Join(errNoAnswer, err)
		}
	}
	if refused {
		return a, &refusal{a}
	}
	return a, nil
}
