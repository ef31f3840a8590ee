package presence

import (
	"context"
	"slices"
)

// beat reports to the leases what happened here in the last second, and asks
// them who has gone. Renewals come before the sweep: after this process stood
// still, its own sweep must not declare the people here gone.
func (t *Tracker) beat(ctx context.Context) {
	t.release(ctx, t.popReleased())
	t.renew(ctx)
	t.noticeAway()
	t.sweep(ctx)
}

// popReleased returns what is to be released, and forgets it.
func (t *Tracker) popReleased() []Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	reports := make([]Report, len(t.released))
	for i, d := range t.released {
		reports[i] = d.report()
	}
	t.released = nil
	return reports
}

// release does not retry: a lease that could not be released expires.
func (t *Tracker) release(ctx context.Context, reports []Report) {
	for part := range slices.Chunk(reports, renewChunk) {
		if err := t.leases.Release(ctx, part); err != nil {
			t.unavailable.note(ctx, t.log, err)
			return
		}
	}
}

// releaseAll releases every lease of a node that stops.
func (t *Tracker) releaseAll(ctx context.Context) {
	reports := t.popReleased()
	t.mu.Lock()
	for _, p := range t.people {
		for d := range p.devices {
			if d.leased {
				reports = append(reports, d.report())
			}
		}
	}
	t.mu.Unlock()
	t.release(ctx, reports)
}

// renewing is a renewal in progress; back means that it carries an activity
// after a long idle time.
type renewing struct {
	device *Device
	back   bool
}

func (t *Tracker) renew(ctx context.Context) {
	devices, reports := t.dueRenewals()
	for len(devices) > 0 {
		n := min(renewChunk, len(devices))
		renewed, err := t.leases.Renew(ctx, reports[:n])
		if err != nil {
			t.unavailable.note(ctx, t.log, err)
			t.renewAgain(devices)
			return
		}
		t.renewed(devices[:n], renewed)
		devices, reports = devices[n:], reports[n:]
	}
}

func (t *Tracker) dueRenewals() ([]renewing, []Report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.renewals.due(t.elapsed()) {
		t.urgent[d] = struct{}{}
	}
	devices, reports := make([]renewing, 0, len(t.urgent)), make([]Report, 0, len(t.urgent))
	for d := range t.urgent {
		d.leased = true
		devices = append(devices, renewing{d, d.person.back})
		d.person.back = false
		reports = append(reports, d.report())
	}
	clear(t.urgent)
	return devices, reports
}

// renewAgain puts failed renewals on the next beat.
func (t *Tracker) renewAgain(devices []renewing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range devices {
		if !r.device.left {
			t.urgent[r.device] = struct{}{}
			r.device.person.back = r.device.person.back || r.back
		}
	}
}

func (t *Tracker) renewed(devices []renewing, renewed []Renewed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, r := range devices {
		p := r.device.person
		t.learn(p, renewed[i].Idle)
		if renewed[i].Appeared || r.back {
			t.mark(p.id)
		}
	}
}

func (t *Tracker) sweep(ctx context.Context) {
	swept, err := t.leases.Sweep(ctx)
	t.unavailable.note(ctx, t.log, err)
	t.mu.Lock()
	defer t.mu.Unlock()
	if swept.Lost {
		t.renewAll()
	}
	for _, d := range swept.Gone {
		t.gone[d.UserID] = max(t.gone[d.UserID], d.LastActiveAt)
		t.mark(d.UserID)
	}
}

// renewAll puts every lease on the next beat. The caller holds the lock.
func (t *Tracker) renewAll() {
	for _, p := range t.people {
		for d := range p.devices {
			t.urgent[d] = struct{}{}
		}
	}
}
