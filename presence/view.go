package presence

import (
	"time"

	"fechatter/chat"
)

// view is a person's presence as one viewer sees it: themselves (own), or anybody
// else. It is decided nowhere else.
//
// To others, an invisible person looks exactly like one without a lease, even
// while it is unknown who has one; otherwise the difference would show.
func view(f chat.PresenceFacts, r Reading, awayAfter time.Duration, own bool) chat.Presence {
	last := f.LastActiveAt
	if f.Setting == chat.Invisible && !own {
		r.Here = false
	} else {
		last = max(last, r.LastActiveAt)
	}
	p := chat.Presence{UserID: f.UserID, Status: f.Status, State: state(f, r, awayAfter)}
	if last > 0 {
		p.LastActiveAt = &last
	}
	if own && f.Setting == chat.Invisible {
		p.State = chat.Invisible
	}
	return p
}

// viewAfter is view for others who were told something before. Somebody who was here and
// became invisible did so themselves: that looks like leaving at once, even while it is
// unknown who has a lease. Whoever asks anew meanwhile learns no more than of anybody.
func viewAfter(told chat.Presence, f chat.PresenceFacts, r Reading, awayAfter time.Duration) chat.Presence {
	p := view(f, r, awayAfter, false)
	switch told.State {
	case chat.Online, chat.Away, chat.DND:
		if f.Setting == chat.Invisible {
			p.State = chat.Offline
		}
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

// differs reports whether a viewer must be told. A new activity of somebody who is
// here is not news.
func differs(told, now chat.Presence) bool {
	if told.State != now.State || told.Status != now.Status {
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
