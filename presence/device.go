package presence

import (
	"crypto/rand"
	"time"

	"fechatter/chat"
)

// person is a user with a device here. Guarded by the tracker's lock.
type person struct {
	id      string
	devices map[*Device]struct{}
	active  time.Time // the last activity on any node, as far as it is known here; zero: not known
	back    bool      // did something after a long time, which the leases do not know yet
	waited  bool      // is in the timeline of those who may become away
}

// Device is a connection of a user. Its methods may be called concurrently.
type Device struct {
	t     *Tracker
	lease Lease
	push  func([]chat.Presence)

	// Guarded by the tracker's lock.
	person      *person
	left        bool
	leased      bool // the leases were asked for it: they must be told when it goes
	renewSlot   int
	version     int // of the watch; a reading for an older one is thrown away
	targets     []target
	recheckSlot int
	answered    []chat.Presence // of a watch that is starting
}

// Join says that a user is connected. It never blocks. push gets what changes
// for those whom the device watches, from a goroutine of the tracker: it must
// not block, and drops what it cannot take. It may be called once more while
// Leave returns. Whoever joined calls Leave.
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

// Active says that the person did something. It never blocks.
func (d *Device) Active() {
	d.t.mu.Lock()
	defer d.t.mu.Unlock()
	if !d.left {
		d.t.act(d.person)
	}
}

// Leave says that the connection ended, and ends its watch. It never blocks, and
// may be called again.
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

// report is what the leases are told of a device.
func (d *Device) report() Report {
	idle := time.Duration(-1)
	if !d.person.active.IsZero() {
		idle = max(0, time.Since(d.person.active))
	}
	return Report{Lease: d.lease, Idle: idle}
}

// act notes an activity. The next renewal carries it; after a long time without
// any, one at the next beat, before others take the person for away. Those who
// did already are told then.
func (t *Tracker) act(p *person) {
	long := time.Since(p.active) >= t.cfg.AwayAfter/2
	p.active = time.Now()
	t.wait(p)
	if !long {
		return
	}
	p.back = true
	for d := range p.devices {
		t.urgent[d] = struct{}{}
		return
	}
}

// learn takes what the leases know of a person's activity.
func (t *Tracker) learn(p *person, idle time.Duration) {
	if at := time.Now().Add(-idle); p.active.Before(at) {
		p.active = at
	}
	if time.Since(p.active) < t.cfg.AwayAfter {
		t.wait(p)
	}
}

// wait has the tracker look whether the person is away when they may be: a
// moment after, so that the leases say so too, by a clock of their own.
func (t *Tracker) wait(p *person) {
	if !p.waited {
		p.waited = true
		t.idle.add(p, p.active.Add(t.cfg.AwayAfter+tick).Sub(t.start))
	}
}

// noticeAway marks those who have done nothing for long. Who did something since
// they were put in the timeline is put there again.
func (t *Tracker) noticeAway() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.idle.due(t.elapsed()) {
		p.waited = false
		switch {
		case len(p.devices) == 0:
		case time.Since(p.active) < t.cfg.AwayAfter:
			t.wait(p)
		default:
			t.mark(p.id)
		}
	}
}
