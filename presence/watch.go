package presence

import (
	"context"
	"slices"
	"time"

	"fechatter/chat"
)

// answerTime is the head start of the answer to Watch over the first push.
const answerTime = 200 * time.Millisecond

// watched is a person whom somebody here watches, and what the viewers were told
// last. The tracker's lock guards it.
type watched struct {
	id          string
	viewers     map[*Device]struct{}
	others, own chat.Presence // as told to others and to the person; zero: not told yet
	rereadSlot  int
}

// target is somebody whom a device wants to watch; w is nil while it may not.
type target struct {
	id string
	w  *watched
}

// Watch replaces the set of users that the device watches, and returns their
// presence as Read does. Users whom Read leaves out are not watched until they
// share a chat, which is checked once a minute, as is whether those who are
// watched still do. More than 500 users are bad_request. An error leaves the
// previous watch in place.
func (d *Device) Watch(ctx context.Context, userIDs []string) ([]chat.Presence, error) {
	version, checks := d.nextVersion()
	list, err := d.t.Read(ctx, d.lease.UserID, userIDs)
	if err != nil {
		return nil, err
	}
	t := d.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if d.left || d.version != version {
		return list, nil // a later watch wins
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
	if d.checks != checks {
		d.answered = nil // of before a Recheck: whom the device may watch is read again
		t.suspect[d] = struct{}{}
		return slices.Clone(list), nil
	}
	t.starting[d] = time.Now()
	return slices.Clone(list), nil
}

func (d *Device) nextVersion() (version, checks int) {
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	d.version++
	return d.version, d.checks
}

// Recheck checks now, instead of within a minute, whether the device may still watch its
// targets: after it returned, no push comes of one that it may not. A Watch that runs
// meanwhile is checked, too.
func (d *Device) Recheck(ctx context.Context) error {
	d.t.mu.Lock()
	d.checks++
	d.t.mu.Unlock()
	return d.t.recheckDevice(ctx, d, true)
}

// unwatch ends a device's watch.
func (t *Tracker) unwatch(d *Device) {
	if len(d.targets) == 0 {
		return
	}
	t.rechecks.remove(d, d.recheckSlot)
	delete(t.starting, d)
	delete(t.suspect, d)
	for i := range d.targets {
		t.unsubscribe(d, &d.targets[i])
	}
	d.targets, d.answered = nil, nil
}

// startWatches starts the watches whose answers have had their head start.
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
				t.subscribe(d, &d.targets[i], p)
			}
		}
	}
}

// subscribe has a device watch a person, whose presence it was told. The next
// round reads what changed since; if others were told something else, all are
// told again.
func (t *Tracker) subscribe(d *Device, to *target, told chat.Presence) {
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
	to.id, to.w = w.id, w // one copy of the id for all watchers
	t.changed[w.id] = struct{}{}
}

// unsubscribe undoes subscribe.
func (t *Tracker) unsubscribe(d *Device, to *target) {
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

// recheck checks whether the devices whose minute is over still may watch their
// targets, and whom else they may watch now.
func (t *Tracker) recheck(ctx context.Context) {
	t.mu.Lock()
	due := t.rechecks.due(t.elapsed())
	for d := range t.suspect {
		due = append(due, d)
	}
	clear(t.suspect)
	t.mu.Unlock()
	for _, d := range due {
		if t.recheckDevice(ctx, d, false) != nil {
			return // the rest in a minute: the database is in trouble
		}
	}
}

// recheckDevice checks a device if its watch has started, or in any case.
func (t *Tracker) recheckDevice(ctx context.Context, d *Device, anyhow bool) error {
	version, ids := d.wanted(anyhow)
	if len(ids) == 0 {
		return nil
	}
	asking, cancel := context.WithTimeout(ctx, factsTimeout)
	defer cancel()
	facts, err := t.facts.VisiblePresence(asking, d.lease.UserID, ids)
	t.factless.note(ctx, t.log, err)
	if err != nil {
		return err
	}
	visible := make(map[string]bool, len(facts))
	for _, f := range facts {
		visible[f.UserID] = true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if d.version != version {
		return nil
	}
	if d.answered != nil { // the watch starts with what was answered
		d.answered = slices.DeleteFunc(d.answered, func(p chat.Presence) bool { return !visible[p.UserID] })
		return nil
	}
	for i, to := range d.targets {
		switch {
		case to.w != nil && !visible[to.id]:
			t.unsubscribe(d, &d.targets[i])
		case to.w == nil && visible[to.id]:
			t.subscribe(d, &d.targets[i], chat.Presence{})
		}
	}
	return nil
}

// wanted returns whom the device wants to watch, if the watch has started or in any case.
func (d *Device) wanted(anyhow bool) (version int, ids []string) {
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	if d.answered != nil && !anyhow {
		return d.version, nil
	}
	for _, to := range d.targets {
		ids = append(ids, to.id)
	}
	return d.version, ids
}
