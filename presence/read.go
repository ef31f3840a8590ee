package presence

import (
	"context"

	"fechatter/chat"
)

// known is all that is known of a person at one moment.
type known struct {
	facts   chat.PresenceFacts
	reading Reading
}

// question asks the database about people: PresenceFacts, or VisiblePresence for
// a viewer.
type question func(ctx context.Context, userIDs []string) ([]chat.PresenceFacts, error)

// read asks leases and facts. Without the leases it is unknown who is here. Who
// is not in the facts is not in the answer.
func (t *Tracker) read(ctx context.Context, userIDs []string, ask question) (map[string]known, error) {
	byUser := make(map[string]Reading, len(userIDs))
	var facts []chat.PresenceFacts
	err := look(ctx, func(ctx context.Context) {
		readings, err := t.leases.Read(ctx, userIDs)
		if err != nil {
			return // the beats tell of the outage
		}
		for i, id := range userIDs {
			byUser[id] = readings[i]
		}
	}, func(ctx context.Context) (err error) {
		ctx, cancel := context.WithTimeout(ctx, factsTimeout)
		defer cancel()
		facts, err = ask(ctx, userIDs)
		return err
	})
	if err != nil {
		return nil, err
	}
	found := make(map[string]known, len(facts))
	for _, f := range facts {
		found[f.UserID] = known{f, byUser[f.UserID]}
	}
	return found, nil
}

// Read gives the presence of those among the users whom the viewer may see, in
// their order, each once: the viewer and who shares a chat with them. More than
// 500 users are bad_request. When many ask at once, they wait for each other, so
// that a rush of clients does not keep leases from being renewed: unavailable
// when ctx ends before it is their turn.
func (t *Tracker) Read(ctx context.Context, viewerID string, userIDs []string) ([]chat.Presence, error) {
	if len(userIDs) > chat.MaxPresences {
		return nil, chat.Errorf(chat.BadRequest, "at most %d users can be asked for at once", chat.MaxPresences)
	}
	select {
	case t.reading <- struct{}{}:
		defer func() { <-t.reading }()
	case <-ctx.Done():
		return nil, chat.Wrap(chat.Unavailable, ctx.Err(), "presence cannot be read right now")
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
