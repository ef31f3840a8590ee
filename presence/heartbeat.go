package presence

import (
	"context"
	"slices"
)

// beat tells the leases what happened here in the last second, and asks them who
// went. Renewals come before the sweep: after this process stood still, those
// who are here must not be gone by its own hand.
func (t *Tracker) beat(ctx context.Context) {
	t.release(ctx, t.takeReleased())
	t.renew(ctx)
	t.noticeAway()
	t.sweep(ctx)
}

func (t *Tracker) takeReleased() []Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	reports := make([]Report, len(t.released))
	for i, d := range t.released {
		reports[i] = d.report()
	}
	t.released = nil
	return reports
}

// release is not tried again: a lease that could not be released runs out.
func (t *Tracker) release(ctx context.Context, reports []Report) {
	for part := range slices.Chunk(reports, renewChunk) {
		if err := t.leases.Release(ctx, part); err != nil {
			t.unavailable.note(ctx, t.log, err)
			return
		}
	}
}

// releaseAll is the end of the node.
func (t *Tracker) releaseAll(ctx context.Context) {
	reports := t.takeReleased()
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

// renewing is a renewal under way. back: it carries an activity after a long
// time without.
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

// renewAgain has what failed tried again at the next beat.
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

// renewAll has every lease renewed at the next beat. Called under the lock.
func (t *Tracker) renewAll() {
	for _, p := range t.people {
		for d := range p.devices {
			t.urgent[d] = struct{}{}
		}
	}
}
