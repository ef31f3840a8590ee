package chat

import (
	"context"
	"slices"
)

// PresenceState is how reachable a person is. The first four can be set by the
// person; the others can only be observed.
type PresenceState string

// The states of presence.
const (
	Online    PresenceState = "online"    // as a setting: none, derived from what the person does
	Away      PresenceState = "away"      // set by the person, or idle for a while
	DND       PresenceState = "dnd"       // do not disturb
	Invisible PresenceState = "invisible" // offline to everyone else
	Offline   PresenceState = "offline"   // connected by no device
	Unknown   PresenceState = "unknown"   // cannot be determined right now
)

// MaxPresences is how many users' presence one request may ask for.
const MaxPresences = 500

// Presence is a person's presence as one viewer may see it. LastActiveAt is nil if
// the person was never active.
type Presence struct {
	UserID       string        `json:"user_id"`
	State        PresenceState `json:"state"`
	LastActiveAt *Time         `json:"last_active_at"`
	Status
}

// PresenceFacts is what is stored about a person, whether they are connected or
// not. It is not meant for viewers as it is.
type PresenceFacts struct {
	UserID       string
	Setting      PresenceState // Online, Away, DND or Invisible
	LastActiveAt Time          // of an invisible person: before they became invisible; 0: never
	Status
}

// PresenceStore keeps people's settings and when they were last active.
type PresenceStore interface {
	PresenceFacts(ctx context.Context, userIDs []string) ([]PresenceFacts, error) // of existing users, in any order
	// VisiblePresence returns the PresenceFacts of the viewer and of those who share a
	// chat with the viewer now, but for whom one of the two has blocked.
	VisiblePresence(ctx context.Context, viewerID string, userIDs []string) ([]PresenceFacts, error)
	// SetPresence also moves the last activity forward to lastActive, unless the
	// person was already invisible.
	SetPresence(ctx context.Context, userID string, setting PresenceState, lastActive Time) error
	// SaveLastActive moves last activities forward, except of invisible persons.
	SaveLastActive(ctx context.Context, at map[string]Time) error
}

// PresenceFacts returns what is stored about people, whoever asks: it is for the
// program itself. Ids that no user has are left out.
func (s *Service) PresenceFacts(ctx context.Context, userIDs []string) ([]PresenceFacts, error) {
	if len(userIDs) == 0 {
		return nil, nil
	}
	return s.store.PresenceFacts(ctx, userIDs)
}

// VisiblePresence returns what is stored about the viewer and those of at most
// MaxPresences people who share a chat with the viewer now. Everyone else is left
// out, as are those of whom one has blocked the other, and ids that no user has.
func (s *Service) VisiblePresence(ctx context.Context, viewerID string, userIDs []string) ([]PresenceFacts, error) {
	if len(userIDs) > MaxPresences {
		return nil, Errorf(BadRequest, "at most %d users per request", MaxPresences)
	}
	valid := slices.DeleteFunc(slices.Clone(userIDs), func(id string) bool { return !ValidID(id) })
	if len(valid) == 0 {
		return nil, nil
	}
	return s.store.VisiblePresence(ctx, viewerID, valid)
}

// SetPresence changes a person's setting, on all devices and until the next
// change; Online clears it. lastActive, if known, is the person's last activity:
// what everyone else sees of a person who becomes invisible.
func (s *Service) SetPresence(ctx context.Context, userID string, setting PresenceState, lastActive Time) error {
	switch setting {
	case Online, Away, DND, Invisible:
		return s.store.SetPresence(ctx, userID, setting, lastActive)
	}
	return Errorf(BadRequest, "state must be online, away, dnd or invisible")
}

// SaveLastActive stores when people who went offline were last active. A time
// before the stored one and any time of an invisible person is ignored.
func (s *Service) SaveLastActive(ctx context.Context, at map[string]Time) error {
	if len(at) == 0 {
		return nil
	}
	return s.store.SaveLastActive(ctx, at)
}
