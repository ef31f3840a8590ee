package presence

import (
	"context"

	"fechatter/chat"
)

// known is everything known of a person at one moment.
type known struct {
	facts   chat.PresenceFacts
	reading Reading
}

// question asks the database about people: PresenceFacts, or VisiblePresence for
// a viewer.
type question func(ctx context.Context, userIDs []string) ([]chat.PresenceFacts, error)

// read reads the leases first and the facts after them. The facts then already
// hide anyone who became invisible in between; in the other order, facts from
// before would show what that person did since. Users without facts are left out.
func (t *Tracker) read(ctx context.Context, userIDs []string, ask question) (map[string]known, error) {
	readings := t.readings(ctx, userIDs)
	facts, err := ask.within(ctx, userIDs)
	if err != nil {
		return nil, err
	}
	found := make(map[string]known, len(facts))
	for _, f := range facts {
		found[f.UserID] = known{f, readings[f.UserID]}
	}
	return found, nil
}

// readings reads the leases. While they are unavailable, which the beats log,
// it is unknown who is here.
func (t *Tracker) readings(ctx context.Context, userIDs []string) map[string]Reading {
	readings, err := t.leases.Read(ctx, userIDs)
	if err != nil {
		return nil
	}
	byUser := make(map[string]Reading, len(userIDs))
	for i, id := range userIDs {
		byUser[id] = readings[i]
	}
	return byUser
}

// within asks with the time limit of a question to the database.
func (q question) within(ctx context.Context, userIDs []string) ([]chat.PresenceFacts, error) {
	ctx, cancel := context.WithTimeout(ctx, factsTimeout)
	defer cancel()
	return q(ctx, userIDs)
}

// Read returns the presence of the users whom the viewer may see, in order and
// each once: the viewer, and anyone who shares a chat with them. More than 500
// users are bad_request. Concurrent reads take turns, so that a rush of clients
// does not delay the renewal of leases; a read is unavailable when ctx ends
// before its turn.
func (t *Tracker) Read(ctx context.Context, viewerID string, userIDs []string) ([]chat.Presence, error) {
	if len(userIDs) > chat.MaxPresences {
		return nil, chat.Errorf(chat.BadRequest, "at most %d users at once", chat.MaxPresences)
	}
	select {
	case t.reading <- struct{}{}:
		defer func() { <-t.reading }()
	case <-ctx.Done():
		return nil, chat.Wrap(chat.Unavailable, ctx.Err(), "presence is busy; try again")
	}
	found, err := t.read(ctx, userIDs, func(ctx context.Context, ids []string) ([]chat.PresenceFacts, error) {
		return t.facts.VisiblePresence(ctx, viewerID, ids)
	})
	if err != nil {
		return nil, err
	}
	list := make([]chat.Presence, 0, len(found))
	for _, id := range userIDs {
		if k, ok := found[id]; ok {
			list = append(list, view(k.facts, k.reading, t.cfg.AwayAfter, id == viewerID))
			delete(found, id)
		}
	}
	return list, nil
}
