package load

import (
	"cmp"
	"context"
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

// Config is the size of a load. Zero values mean the usual, small size.
type Config struct {
	URLs    []string      // of the nodes
	Seed    uint64        // of everything drawn by lot
	People  int           // all are in every chat; 8
	Movable int           // how many of them are removed and added again; 2
	Churn   int           // how often, in a hundred actions, an owner does so; 4
	Devices int           // of each person, the first of several on a stream; 1
	Chats   int           // 3
	Pace    time.Duration // between two actions of a person, on average; 50 ms
	Padding int           // bytes added to each message
	Prefix  string        // of user names, so that loads can share a cluster

	// Patience is how long a request waits before it is repeated, perhaps elsewhere; 4 s,
	// which is less than the server's own limit: what is repeated may be under way still.
	Patience time.Duration
}

func (c Config) withDefaults() Config {
	c.People, c.Devices, c.Chats = cmp.Or(c.People, 8), cmp.Or(c.Devices, 1), cmp.Or(c.Chats, 3)
	c.Churn = cmp.Or(c.Churn, 4)
	c.Pace = cmp.Or(c.Pace, 50*time.Millisecond)
	c.Patience = cmp.Or(c.Patience, 4*time.Second)
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
	stopWork  context.CancelFunc
	finishing context.Context //nolint:containedctx // for what was begun, from Connect to Close
}

// Prepare signs people up and makes their chats.
func Prepare(ctx context.Context, cfg Config) (*Load, error) {
	cfg = cfg.withDefaults()
	l := &Load{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 1)), padding: "\n" + strings.Repeat("x", cfg.Padding), record: &recorder{start: time.Now()},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 5 * time.Second}}}
	for i := range cfg.People {
		p, err := signUp(ctx, l, cfg.URLs[i%len(cfg.URLs)], cfg.Prefix+"person"+strconv.Itoa(i))
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
	id, err := owner.makeChat(ctx, l.cfg.URLs[0], l.others(owner))
	if err == nil {
		l.add(id, owner)
	}
	return err
}

// others are the ids of everybody else.
func (l *Load) others(owner *person) []string {
	ids := []string{}
	for _, p := range l.people {
		if p != owner {
			ids = append(ids, p.id)
		}
	}
	return ids
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

// owned draws a chat of an owner, or returns nil.
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

// room reports whether there is room for more chats.
func (l *Load) room() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.chats) < 3*l.cfg.Chats
}

// Connect connects every device. They come back after any end until Close.
func (l *Load) Connect(ctx context.Context) {
	var connected context.Context
	connected, l.hangUp = context.WithCancel(ctx)
	l.finishing = connected
	for _, d := range l.devices {
		l.connected.Go(func() { d.run(connected) })
	}
}

// Work lets everybody work until StopWork. Connect comes first.
func (l *Load) Work(ctx context.Context) {
	ctx, l.stopWork = context.WithCancel(ctx)
	for _, w := range l.workers {
		l.working.Go(func() { w.run(ctx, l.finishing) })
	}
}

// StopWork ends the work and returns when everything that was begun is finished, or
// with an error when that takes longer than patience. Work may follow again.
func (l *Load) StopWork(patience time.Duration) error {
	l.stopWork()
	done := make(chan struct{})
	go func() {
		l.working.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("work is not finished after %s", patience)
	}
}

// Close hangs up and ends everything.
func (l *Load) Close() {
	if l.stopWork != nil {
		l.stopWork()
	}
	if l.hangUp != nil {
		l.hangUp()
	}
	l.working.Wait()
	l.connected.Wait()
	l.http.CloseIdleConnections()
}

// Live is the number of devices that are connected and have resumed.
func (l *Load) Live() (n int) {
	for _, d := range l.devices {
		if live, _ := d.stand(); live {
			n++
		}
	}
	return n
}

// Admit makes somebody from outside a member of every chat.
func (l *Load) Admit(ctx context.Context, user string) error {
	ctx, cancel := context.WithTimeout(ctx, onceTimeout)
	defer cancel()
	for _, g := range l.chats {
		if err := g.owner.at(l.cfg.URLs[0]).Call(ctx, http.MethodPost, "/chats/"+g.id+"/members", map[string]any{"user_id": user}, nil); err != nil {
			return fmt.Errorf("add member: %w", err)
		}
	}
	return nil
}

// Acked is the number of sends acknowledged so far.
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

// Failed lists the attempts of sends that have failed, by REST or by refusal.
func (l *Load) Failed() []string {
	l.record.mu.Lock()
	defer l.record.mu.Unlock()
	return slices.Clone(l.record.failed)
}

// Recorded marks the live connections as final, hangs up, and returns what
// everybody noted.
func (l *Load) Recorded() *check.Run {
	for _, d := range l.devices {
		d.mu.Lock()
		if d.live {
			d.noted.Final = true
		} else {
			l.record.fault("%s is not connected at the end", d.label)
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
