package security

import (
	"log/slog"
	"strings"
)

// Entry is one event. It holds ids and never a name that somebody typed, a password, a
// token, or what anybody wrote: people type passwords where the name belongs.
type Entry struct {
	Event   Event
	Address string // of whoever caused it, in full
	User    string // the id of whoever caused it, or Operator
	Session string // the id of that user's session
	Subject string // the id of the user or session that it was done to
	Chat    string // the id of the chat in which, or to which
	Limit   string // which limit, in the words of docs/operations.md
	Detail  string // see Kinds; the only field that may hold what a client sent
}

// Operator is the User of what the settings do.
const Operator = "operator"

// maxDetail bounds what a client can make a line hold, in bytes.
const maxDetail = 200

// attrs returns the fields of the entry that are not empty.
func (e Entry) attrs() []slog.Attr {
	if len(e.Detail) > maxDetail {
		e.Detail = strings.ToValidUTF8(e.Detail[:maxDetail], "") + "…"
	}
	attrs := []slog.Attr{slog.String("event", string(e.Event))}
	for _, f := range e.fields() {
		if f.Value.String() != "" {
			attrs = append(attrs, f)
		}
	}
	return attrs
}

func (e Entry) fields() []slog.Attr {
	return []slog.Attr{
		slog.String("address", e.Address), slog.String("user", e.User), slog.String("session", e.Session),
		slog.String("subject", e.Subject), slog.String("chat", e.Chat), slog.String("limit", e.Limit),
		slog.String("detail", e.Detail),
	}
}
