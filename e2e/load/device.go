package load

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"fechatter/client"
	"fechatter/e2e/check"
)

// device is one client of a person: connected to some node, or coming back.
type device struct {
	*person
	label  string
	urls   []string
	record *recorder
	rng    *rand.Rand // run's own
	sse    bool       // listens to a stream; its person sends by REST
	polite bool       // leaves when the server asks it to

	resumeAt string // the newest token of a stream; run's own

	mu      sync.Mutex
	cursors map[string]int64
	epoch   string
	live    bool // the server said ready
	conn    *client.Conn
	noted   *check.Connection
	heard   time.Time
}

func newDevice(p *person, label string, urls []string, r *recorder, seed *rand.Rand) *device {
	return &device{person: p, label: label, urls: urls, record: r, rng: rand.New(rand.NewPCG(seed.Uint64(), 0)), polite: seed.IntN(2) == 0,
		cursors: map[string]int64{}}
}

// run stays connected until ctx ends.
func (d *device) run(ctx context.Context) {
	for ctx.Err() == nil {
		url := d.urls[d.rng.IntN(len(d.urls))]
		connection := d.connection
		if d.sse {
			connection = d.stream
		}
		if err := connection(ctx, url); err != nil && ctx.Err() == nil {
			d.record.fault("%s: %v", d.label, err)
		}
		pause(ctx, time.Duration(d.rng.IntN(200))*time.Millisecond)
	}
}

// note records a frame and moves the cursors.
func (d *device) note(data []byte) error {
	f, err := d.record.frame(data)
	if err != nil {
		return fmt.Errorf("the server said %q: %w", data, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = time.Now()
	d.noted.Frames = append(d.noted.Frames, f)
	switch {
	case f.Op == "drain" && d.polite && d.conn != nil:
		return d.depart(data)
	case f.Op == "ready":
		d.live = true
		d.prune()
		var ready struct{ D struct{ Epoch string } }
		if err := json.Unmarshal(data, &ready); err != nil {
			return fmt.Errorf("the server said %q: %w", data, err)
		}
		d.epoch = ready.D.Epoch
	case f.Op == "chat.left":
		delete(d.cursors, f.ChatID)
	case f.Op == "chats":
		for _, e := range f.Entries {
			if _, held := d.cursors[e.ID]; !held {
				d.cursors[e.ID] = e.LastSeq
			}
		}
	case f.Op == "reset", f.Op == "chat.joined", f.Event != nil:
		d.cursors[f.ChatID] = f.Seq
	}
	return nil
}

// depart leaves a node that goes away, at the time that it asks for.
func (d *device) depart(data []byte) error {
	var drain struct {
		D struct {
			After int64 `json:"retry_after_ms"`
		}
	}
	if err := json.Unmarshal(data, &drain); err != nil {
		return fmt.Errorf("the server said %q: %w", data, err)
	}
	conn := d.conn
	time.AfterFunc(time.Duration(drain.D.After)*time.Millisecond, func() { _ = conn.CloseNow() })
	return nil
}

// prune forgets the chats that the server no longer names.
func (d *device) prune() {
	named := map[string]bool{}
	for _, f := range d.noted.Frames {
		for _, e := range f.Entries {
			named[e.ID] = true
		}
	}
	for id := range d.cursors {
		if !named[id] {
			delete(d.cursors, id)
		}
	}
}

// stand reports whether the device is live, and where it stands.
func (d *device) stand() (live bool, cursors map[string]int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.live, maps.Clone(d.cursors)
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
