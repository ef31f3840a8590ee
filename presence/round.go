package presence

import (
	"context"
	"slices"

	"fechatter/chat"
)

// round passes on what is new: to the database first, then to the other nodes,
// then to the watchers here. In this order, whoever reads after an announcement
// finds the last activity of people who left.
func (t *Tracker) round(ctx context.Context) {
	t.saveGone(ctx)
	if users := t.popAnnouncement(); len(users) > 0 {
		t.announcer.Announce(users)
	}
	t.startWatches()
	t.refresh(ctx, t.popChanged())
}

// saveGone saves when people who left were last active. What cannot be saved
// waits for the next round.
func (t *Tracker) saveGone(ctx context.Context) {
	t.mu.Lock()
	gone := t.gone
	t.gone = map[string]chat.Time{}
	t.mu.Unlock()
	if len(gone) == 0 {
		return
	}
	saving, cancel := context.WithTimeout(ctx, factsTimeout)
	defer cancel()
	err := t.facts.SaveLastActive(saving, gone)
	t.factless.note(ctx, t.log, err)
	if err == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, at := range gone {
		t.gone[id] = max(t.gone[id], at)
	}
}

// popAnnouncement returns users to announce, and forgets them.
func (t *Tracker) popAnnouncement() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	users := make([]string, 0, min(len(t.announce), announceMost))
	for id := range t.announce {
		if len(users) == announceMost {
			break
		}
		users = append(users, id)
		delete(t.announce, id)
	}
	return users
}

// popChanged returns the users to read, and forgets them: those reported changed,
// and those whose turn it is, because announcements get lost.
func (t *Tracker) popChanged() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range t.rereads.due(t.elapsed()) {
		t.changed[w.id] = struct{}{}
	}
	users := make([]string, 0, len(t.changed))
	for id := range t.changed {
		users = append(users, id)
	}
	clear(t.changed)
	return users
}

func (t *Tracker) refresh(ctx context.Context, users []string) {
	for part := range slices.Chunk(users, chunk) {
		found, err := t.read(ctx, part, t.facts.PresenceFacts)
		t.factless.note(ctx, t.log, err)
		if err != nil {
			t.Changed(part) // again in the next round
			continue
		}
		for d, list := range t.news(found) {
			d.push(list)
		}
	}
}

// news records what is told now, and returns what is new for each device.
func (t *Tracker) news(found map[string]known) map[*Device][]chat.Presence {
	t.mu.Lock()
	defer t.mu.Unlock()
	news := map[*Device][]chat.Presence{}
	for id, k := range found {
		w := t.watched[id]
		if w == nil {
			continue
		}
		others, own := viewAfter(w.others, k.facts, k.reading, t.cfg.AwayAfter), view(k.facts, k.reading, t.cfg.AwayAfter, true)
		toOthers, toOwn := differs(w.others, others), differs(w.own, own)
		w.others, w.own = others, own
		for d := range w.viewers {
			switch mine := d.lease.UserID == id; {
			case mine && toOwn:
				news[d] = append(news[d], own)
			case !mine && toOthers:
				news[d] = append(news[d], others)
			}
		}
	}
	return news
}
