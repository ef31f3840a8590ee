package presence

import (
	"context"
	"slices"
	"time"

	"fechatter/chat"
)

// answerTime is what the answer to Watch is given to be on its way before the
// first push may follow it.
const answerTime = 200 * time.Millisecond

// watched is a person whose presence somebody here watches, and what they were
// told last. Guarded by the tracker's lock.
type watched struct {
	id          string
	viewers     map[*Device]struct{}
	others, own chat.Presence // as told to others, and to the person themselves; zero: not told yet
	rereadSlot  int
}

// target is somebody whom a device wants to watch; nil if it may not.
type target struct {
	id string
	w  *watched
}

// Watch replaces whom the device watches, and answers their presence as Read
// does. Who is left out is not watched until they share a chat, which is looked
// at once a minute, as is whether those who are watched still do. More than 500
// users are bad_request. After an error the device watches whom it watched.
func (d *Device) Watch(ctx context.Context, userIDs []string) ([]chat.Presence, error) {
	version := d.nextVersion()
	list, err := d.t.Read(ctx, d.lease.UserID, userIDs)
	if err != nil {
		return nil, err
	}
	t := d.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if d.left || d.version != version {
		return list, nil // a later watch counts
	}
	t.unwatch(d)
	if len(userIDs) == 0 {
		return list, nil
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(userIDs))) {
		d.targets = append(d.targets, target{id: id})
	}
	d.answered = list
	d.recheckSlot = t.rechecks.add(d)
	t.starting[d] = time.Now()
	return slices.Clone(list), nil
}

func (d *Device) nextVersion() int {
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	d.version++
	return d.version
}

// unwatch ends a device's watch.
func (t *Tracker) unwatch(d *Device) {
	if len(d.targets) == 0 {
		return
	}
	t.rechecks.remove(d, d.recheckSlot)
	delete(t.starting, d)
	for i := range d.targets {
		t.part(d, &d.targets[i])
	}
	d.targets, d.answered = nil, nil
}

// startWatches begins those watches whose answer was given long enough ago.
func (t *Tracker) startWatches() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for d, at := range t.starting {
		if time.Since(at) < answerTime {
			continue
		}
		delete(t.starting, d)
		visible := make(map[string]chat.Presence, len(d.answered))
		for _, p := range d.answered {
			visible[p.UserID] = p
		}
		d.answered = nil
		for i, target := range d.targets {
			if p, ok := visible[target.id]; ok {
				t.meet(d, &d.targets[i], p)
			}
		}
	}
}

// meet has a device watch a person, of whom it was told. What changed since is
// read in the next round; if others were told something else, all are told anew.
func (t *Tracker) meet(d *Device, to *target, told chat.Presence) {
	w := t.watched[to.id]
	if w == nil {
		w = &watched{id: to.id, viewers: map[*Device]struct{}{}}
		w.rereadSlot = t.rereads.add(w)
		t.watched[w.id] = w
		w.others, w.own = told, told
	}
	view := w.toldTo(d)
	if differs(*view, told) {
		*view = chat.Presence{}
	}
	w.viewers[d] = struct{}{}
	to.id, to.w = w.id, w // one copy of the id for all who watch
	t.changed[w.id] = struct{}{}
}

// part ends it.
func (t *Tracker) part(d *Device, to *target) {
	w := to.w
	if w == nil {
		return
	}
	to.w = nil
	delete(w.viewers, d)
	if len(w.viewers) == 0 {
		t.rereads.remove(w, w.rereadSlot)
		delete(t.watched, w.id)
		delete(t.changed, w.id)
	}
}

// toldTo is what was last told to viewers like d.
func (w *watched) toldTo(d *Device) *chat.Presence {
	if d.lease.UserID == w.id {
		return &w.own
	}
	return &w.others
}

// recheck looks whether those whose minute is over still may watch, and who else
// may be watched now.
func (t *Tracker) recheck(ctx context.Context) {
	t.mu.Lock()
	due := t.rechecks.due(t.elapsed())
	t.mu.Unlock()
	for _, d := range due {
		if !t.recheckDevice(ctx, d) {
			return // the rest in a minute: the database is in no state to be asked
		}
	}
}

func (t *Tracker) recheckDevice(ctx context.Context, d *Device) bool {
	version, ids := d.wanted()
	if len(ids) == 0 {
		return true
	}
	asking, cancel := context.WithTimeout(ctx, factsTimeout)
	defer cancel()
	facts, err := t.facts.VisiblePresence(asking, d.lease.UserID, ids)
	t.factless.note(ctx, t.log, err)
	if err != nil {
		return false
	}
	visible := make(map[string]bool, len(facts))
	for _, f := range facts {
		visible[f.UserID] = true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if d.version != version {
		return true
	}
	for i, to := range d.targets {
		switch {
		case to.w != nil && !visible[to.id]:
			t.part(d, &d.targets[i])
		case to.w == nil && visible[to.id]:
			t.meet(d, &d.targets[i], chat.Presence{})
		}
	}
	return true
}

// wanted gives whom the device wants to watch, if the watch has begun.
func (d *Device) wanted() (version int, ids []string) {
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	if d.answered != nil {
		return d.version, nil
	}
	for _, to := range d.targets {
		ids = append(ids, to.id)
	}
	return d.version, ids
}
