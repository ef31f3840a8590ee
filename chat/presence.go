package chat

import (
	"context"
	"slices"
)

// PresenceState says how reachable a person is. The first four are settings
// that a person makes; the others are only ever seen.
type PresenceState string

// The states of presence.
const (
	Online    PresenceState = "online"    // as a setting: nothing special, go by what the person does
	Away      PresenceState = "away"      // by the person's own word, or because they did nothing for a while
	DND       PresenceState = "dnd"       // do not disturb
	Invisible PresenceState = "invisible" // offline in the eyes of everybody else
	Offline   PresenceState = "offline"   // on no device
	Unknown   PresenceState = "unknown"   // it cannot be said right now
)

// MaxPresences is how many users' presence may be asked for at once.
const MaxPresences = 500

// Presence is a person's presence as one viewer may see it. LastActiveAt is nil
// for who was never active.
type Presence struct {
	UserID       string        `json:"user_id"`
	State        PresenceState `json:"state"`
	LastActiveAt *Time         `json:"last_active_at"`
	StatusText   string        `json:"status_text"`
}

// PresenceFacts is what is known of a person for good, whether they are here or
// not: not for a viewer's eyes as it is.
type PresenceFacts struct {
	UserID       string
	Setting      PresenceState // Online, Away, DND or Invisible
	LastActiveAt Time          // of an invisible person: from before they became so; 0: never
	StatusText   string
}

// PresenceStore keeps what people set, and when they were last active.
type PresenceStore interface {
	PresenceFacts(ctx context.Context, userIDs []string) ([]PresenceFacts, error) // of those who exist, in any order
	// VisiblePresence is PresenceFacts of the viewer and of those who are in a
	// chat with the viewer now.
	VisiblePresence(ctx context.Context, viewerID string, userIDs []string) ([]PresenceFacts, error)
	// SetPresence also moves the last activity forward to lastActive, unless the
	// person was invisible already.
	SetPresence(ctx context.Context, userID string, setting PresenceState, lastActive Time) error
	// SaveLastActive moves last activities forward, of no invisible person.
	SaveLastActive(ctx context.Context, at map[string]Time) error
}

// PresenceFacts gives what is known of people, without regard to who asks: it
// is for the program itself. Ids that no user has are left out.
func (s *Service) PresenceFacts(ctx context.Context, userIDs []string) ([]PresenceFacts, error) {
	if len(userIDs) == 0 {
		return nil, nil
	}
	return s.store.PresenceFacts(ctx, userIDs)
}

// VisiblePresence gives what is known of those among at most MaxPresences
// people whom the viewer shares a chat with now, and of the viewer. The others
// are left out, as are ids that no user has.
func (s *Service) VisiblePresence(ctx context.Context, viewerID string, userIDs []string) ([]PresenceFacts, error) {
	if len(userIDs) > MaxPresences {
		return nil, Errorf(BadRequest, "at most %d users can be asked for at once", MaxPresences)
	}
	valid := slices.DeleteFunc(slices.Clone(userIDs), func(id string) bool { return !ValidID(id) })
	if len(valid) == 0 {
		return nil, nil
	}
	return s.store.VisiblePresence(ctx, viewerID, valid)
}

// SetPresence changes a person's setting, on all devices and until the next
// change; Online clears it. lastActive, when it is known, is the person's last
// activity: what everybody sees of somebody who becomes invisible.
func (s *Service) SetPresence(ctx context.Context, userID string, setting PresenceState, lastActive Time) error {
	switch setting {
	case Online, Away, DND, Invisible:
		return s.store.SetPresence(ctx, userID, setting, lastActive)
	}
	return Errorf(BadRequest, "state must be online, away, dnd or invisible")
}

// SaveLastActive writes down when people who went offline were last active. A
// time before the stored one, and any time of an invisible person, is passed
// over.
func (s *Service) SaveLastActive(ctx context.Context, at map[string]Time) error {
	if len(at) == 0 {
		return nil
	}
	return s.store.SaveLastActive(ctx, at)
}
