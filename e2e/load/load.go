package load

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fechatter/e2e/check"
)

// Config is the size of a load. Zero values are small and usual.
type Config struct {
	URLs    []string      // of the nodes
	Seed    uint64        // of all that is drawn by lot
	People  int           // all are in every chat; 8
	Movable int           // how many of them are removed and added again; 2
	Churn   int           // how many of a hundred things that an owner does are that; 4
	Devices int           // of each person, the first of several on a stream; 1
	Chats   int           // 3
	Pace    time.Duration // of each person, between two things that they do; 50 ms
	Padding int           // bytes added to each message
	Prefix  string        // of names, so that loads can share a cluster
}

func (c Config) withDefaults() Config {
	c.People, c.Devices, c.Chats = cmp.Or(c.People, 8), cmp.Or(c.Devices, 1), cmp.Or(c.Chats, 3)
	c.Churn = cmp.Or(c.Churn, 4)
	c.Pace = cmp.Or(c.Pace, 50*time.Millisecond)
	if c.Movable == 0 {
		c.Movable = 2
	}
	return c
}

// Load is people at work. Its methods are for one goroutine.
type Load struct {
	cfg     Config
	rng     *rand.Rand
	http    *http.Client
	padding string
	record  *recorder
	people  []*person
	movable []*person
	devices []*device
	workers []*worker
	probes  []*probe

	mu    sync.Mutex
	chats []*group

	connected sync.WaitGroup
	working   sync.WaitGroup
	hangUp    context.CancelFunc
	rest      context.CancelFunc
	settling  context.Context //nolint:containedctx // of what was begun, from Connect to Close
}

// Prepare signs people up and makes their chats.
func Prepare(ctx context.Context, cfg Config) (*Load, error) {
	cfg = cfg.withDefaults()
	l := &Load{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 1)), padding: "\n" + strings.Repeat("x", cfg.Padding), record: &recorder{start: time.Now()},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 5 * time.Second}}}
	for i := range cfg.People {
		p, err := signUp(ctx, l.http, cfg.URLs[i%len(cfg.URLs)], cfg.Prefix+"person"+strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		l.people = append(l.people, p)
	}
	fixed := max(1, cfg.People-max(0, cfg.Movable))
	l.movable = l.people[fixed:]
	for i := range cfg.Chats {
		if err := l.makeChat(ctx, l.people[i%fixed]); err != nil {
			return nil, err
		}
	}
	for i, p := range l.people {
		for n := range cfg.Devices {
			l.devices = append(l.devices, newDevice(p, fmt.Sprintf("%s/%d", p.name, n), cfg.URLs, l.record, l.rng))
		}
		l.devices[len(l.devices)-cfg.Devices].sse = cfg.Devices > 1 && cfg.Devices < 5
		l.workers = append(l.workers, &worker{device: l.devices[len(l.devices)-1], load: l,
			rng: rand.New(rand.NewPCG(l.rng.Uint64(), 1)), removed: i >= fixed})
	}
	return l, nil
}

func (l *Load) makeChat(ctx context.Context, owner *person) error {
	data, err := owner.rest(ctx, http.MethodPost, l.cfg.URLs[0]+"/api/v1/chats", l.newChat(owner))
	if err != nil {
		return fmt.Errorf("make chat: %w", err)
	}
	var c struct{ ID string }
	if err := json.Unmarshal(data, &c); err != nil {
		return fmt.Errorf("make chat: %w", err)
	}
	l.add(c.ID, owner)
	return nil
}

// newChat asks for a chat of everybody.
func (l *Load) newChat(owner *person) map[string]any {
	ids := []string{}
	for _, p := range l.people {
		if p != owner {
			ids = append(ids, p.id)
		}
	}
	return map[string]any{"kind": "group", "member_ids": ids}
}

func (l *Load) add(chat string, owner *person) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.chats = append(l.chats, &group{id: chat, owner: owner, out: map[string]bool{}})
}

// pick draws a chat.
func (l *Load) pick(rng *rand.Rand) *group {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chats[rng.IntN(len(l.chats))]
}

// owned draws a chat of an owner, nil without one.
func (l *Load) owned(owner *person, rng *rand.Rand) *group {
	l.mu.Lock()
	defer l.mu.Unlock()
	var own []*group
	for _, g := range l.chats {
		if g.owner == owner {
			own = append(own, g)
		}
	}
	if own == nil {
		return nil
	}
	return own[rng.IntN(len(own))]
}

// room reports whether there may be more chats.
func (l *Load) room() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.chats) < 3*l.cfg.Chats
}

// Connect brings every device up, for good: they come back until Close.
func (l *Load) Connect(ctx context.Context) {
	var connected context.Context
	connected, l.hangUp = context.WithCancel(ctx)
	l.settling = connected
	for _, d := range l.devices {
		l.connected.Go(func() { d.run(connected) })
	}
}

// Work lets everybody work until Rest. Connect comes before.
func (l *Load) Work(ctx context.Context) {
	ctx, l.rest = context.WithCancel(ctx)
	for _, w := range l.workers {
		l.working.Go(func() { w.run(ctx, l.settling) })
	}
}

// Rest ends the work, and returns when everything that was begun is settled, or
// with an error when that takes longer than patience. Work may come again.
func (l *Load) Rest(patience time.Duration) error {
	l.rest()
	done := make(chan struct{})
	go func() {
		l.working.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("work is not settled after %s", patience)
	}
}

// Close hangs up and ends everything.
func (l *Load) Close() {
	if l.rest != nil {
		l.rest()
	}
	if l.hangUp != nil {
		l.hangUp()
	}
	l.working.Wait()
	l.connected.Wait()
	l.http.CloseIdleConnections()
}

// Live is how many devices are connected and have resumed.
func (l *Load) Live() (n int) {
	for _, d := range l.devices {
		if live, _ := d.at(); live {
			n++
		}
	}
	return n
}

// Admit makes somebody else a member of every chat.
func (l *Load) Admit(ctx context.Context, user string) error {
	for _, g := range l.chats {
		url := l.cfg.URLs[0] + "/api/v1/chats/" + g.id + "/members"
		if _, err := g.owner.rest(ctx, http.MethodPost, url, map[string]any{"user_id": user}); err != nil {
			return fmt.Errorf("add member: %w", err)
		}
	}
	return nil
}

// Acked is how many sends were acknowledged so far.
func (l *Load) Acked() (n int) {
	l.record.mu.Lock()
	defer l.record.mu.Unlock()
	for _, s := range l.record.sends {
		if s.Acked > 0 {
			n++
		}
	}
	return n
}

// Failed are the attempts of sends that failed so far, by REST or by refusal.
func (l *Load) Failed() []string {
	l.record.mu.Lock()
	defer l.record.mu.Unlock()
	return slices.Clone(l.record.failed)
}

// Recorded marks the connections that are live as final, hangs up, and gives
// what everybody noted.
func (l *Load) Recorded() *check.Run {
	for _, d := range l.devices {
		d.mu.Lock()
		if d.live {
			d.noted.Final = true
		} else {
			l.record.fault("%s is not connected in the end", d.label)
		}
		d.mu.Unlock()
	}
	l.Close()
	run := l.record.run()
	for _, p := range l.probes {
		run.Probes = append(run.Probes, p.seen())
	}
	return run
}
