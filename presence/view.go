package presence

import (
	"time"

	"fechatter/chat"
)

// view is a person's presence in the eyes of one viewer: themselves, or anybody
// else. It is the only place where that is decided.
//
// In the eyes of others, somebody invisible is exactly somebody without a lease:
// also while it is unknown who has one, or the difference would show.
func view(f chat.PresenceFacts, r Reading, awayAfter time.Duration, own bool) chat.Presence {
	last := f.LastActiveAt
	if hidden(f) && !own {
		r.Here = false
	} else {
		last = max(last, r.LastActiveAt)
	}
	p := chat.Presence{UserID: f.UserID, StatusText: f.StatusText, State: state(f, r, awayAfter)}
	if last > 0 {
		p.LastActiveAt = &last
	}
	if own && f.Setting == chat.Invisible {
		p.State = chat.Invisible
	}
	return p
}

func state(f chat.PresenceFacts, r Reading, awayAfter time.Duration) chat.PresenceState {
	switch {
	case !r.Here && !r.Known:
		return chat.Unknown
	case !r.Here:
		return chat.Offline
	case f.Setting == chat.Online && r.Idle >= awayAfter:
		return chat.Away
	}
	return f.Setting
}

// differs says whether a viewer must be told. That somebody who is here was
// active a moment ago is no news.
func differs(told, now chat.Presence) bool {
	if told.State != now.State || told.StatusText != now.StatusText {
		return true
	}
	return now.State == chat.Offline && !sameTime(told.LastActiveAt, now.LastActiveAt)
}

func sameTime(a, b *chat.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
