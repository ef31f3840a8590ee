package presence

import (
	"context"
	"slices"

	"fechatter/chat"
)

// round tells what is new: the database first, then the other nodes, then those
// who watch here. In this order, whoever reads after an announcement finds the
// last activity of who went.
func (t *Tracker) round(ctx context.Context) {
	t.saveGone(ctx)
	if users := t.takeAnnouncement(); len(users) > 0 {
		t.announcer.Announce(users)
	}
	t.startWatches()
	t.refresh(ctx, t.takeChanged())
}

// saveGone writes down when those who went were last active. What cannot be
// saved waits for the next round.
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

func (t *Tracker) takeAnnouncement() []string {
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

// takeChanged gives whom to read: those of whom something was heard, and those
// whose turn it is, for announcements get lost.
func (t *Tracker) takeChanged() []string {
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
			t.Changed(part) // in the next round again
			continue
		}
		for d, list := range t.news(found) {
			d.push(list)
		}
	}
}

// news notes what is told now, and gives what is new to each device.
func (t *Tracker) news(found map[string]known) map[*Device][]chat.Presence {
	t.mu.Lock()
	defer t.mu.Unlock()
	news := map[*Device][]chat.Presence{}
	for id, k := range found {
		w := t.watched[id]
		if w == nil {
			continue
		}
		others, own := view(k.facts, k.reading, t.cfg.AwayAfter, false), view(k.facts, k.reading, t.cfg.AwayAfter, true)
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
