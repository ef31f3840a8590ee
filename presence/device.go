package presence

import (
	"crypto/rand"
	"time"

	"fechatter/chat"
)

// person is a user with a device on this node. The tracker's lock guards it.
type person struct {
	id      string
	devices map[*Device]struct{}
	active  time.Time // the last activity on any node, as far as this one knows; zero: unknown
	back    bool      // active after a long time, which the leases do not know yet
	queued  bool      // in the agenda of people who may become away
}

// Device is a connection of a user. Its methods may be called concurrently.
type Device struct {
	t     *Tracker
	lease Lease
	push  func([]chat.Presence)

	// The tracker's lock guards these.
	person      *person
	left        bool
	leased      bool // may hold a lease, which has to be released
	renewSlot   int
	version     int // of the watch; readings for an older one are discarded
	checks      int // how often Recheck was called
	targets     []target
	recheckSlot int
	answered    []chat.Presence // the answer to a watch that is starting
}

// Join adds a connection of a user. It never blocks. push receives changes of the
// people the device watches, on a goroutine of the tracker: it must not block,
// and drops what it has no room for. It may be called once more while Leave
// returns. The caller must call Leave.
func (t *Tracker) Join(userID string, push func([]chat.Presence)) *Device {
	d := &Device{t: t, push: push, lease: Lease{ID: rand.Text(), UserID: userID}}
	t.mu.Lock()
	defer t.mu.Unlock()
	d.person = t.people[userID]
	if d.person == nil {
		d.person = &person{id: userID, devices: map[*Device]struct{}{}}
		t.people[userID] = d.person
	}
	d.person.devices[d] = struct{}{}
	d.renewSlot = t.renewals.add(d)
	t.urgent[d] = struct{}{}
	return d
}

// Active notes that the person did something. It never blocks.
func (d *Device) Active() {
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	if !d.left {
		d.t.act(d.person)
	}
}

// Leave removes the connection and ends its watch. It never blocks and may be
// called more than once.
func (d *Device) Leave() {
	t := d.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if d.left {
		return
	}
	d.left = true
	t.unwatch(d)
	t.renewals.remove(d, d.renewSlot)
	delete(t.urgent, d)
	if d.leased {
		t.released = append(t.released, d)
	}
	delete(d.person.devices, d)
	if len(d.person.devices) == 0 {
		delete(t.people, d.person.id)
	}
}

// report describes the device to the leases.
func (d *Device) report() Report {
	idle := time.Duration(-1)
	if !d.person.active.IsZero() {
		idle = max(0, time.Since(d.person.active))
	}
	return Report{Lease: d.lease, Idle: idle}
}

// act notes an activity, which the next renewal carries. After a long idle time
// that is one at the next beat, before others consider the person away or, if
// they already do, so that they learn of it.
func (t *Tracker) act(p *person) {
	long := time.Since(p.active) >= t.cfg.AwayAfter/2
	p.active = time.Now()
	t.expectAway(p)
	if !long {
		return
	}
	p.back = true
	for d := range p.devices {
		t.urgent[d] = struct{}{}
		return
	}
}

// learn applies what the leases know of a person's activity.
func (t *Tracker) learn(p *person, idle time.Duration) {
	if at := time.Now().Add(-idle); p.active.Before(at) {
		p.active = at
	}
	if time.Since(p.active) < t.cfg.AwayAfter {
		t.expectAway(p)
	}
}

// expectAway schedules a check of whether the person is away: a moment after
// they may be, so that the leases, which have a clock of their own, agree.
func (t *Tracker) expectAway(p *person) {
	if !p.queued {
		p.queued = true
		t.idle.add(p, p.active.Add(t.cfg.AwayAfter+tick).Sub(t.start))
	}
}

// noticeAway marks people who have been idle for long. Anyone who was active
// since they were put on the agenda is put there again.
func (t *Tracker) noticeAway() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.idle.due(t.elapsed()) {
		p.queued = false
		switch {
		case len(p.devices) == 0:
		case time.Since(p.active) < t.cfg.AwayAfter:
			t.expectAway(p)
		default:
			t.mark(p.id)
		}
	}
}
