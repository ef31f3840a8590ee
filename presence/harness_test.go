package presence_test

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
	"fechatter/presence"
)

// spread is more than a change takes to reach every node.
const spread = 4 * time.Second

// awayAfter is the setting of the tests.
const awayAfter = 5 * time.Minute

// tester is anything that may fail: a test, or one example of a property.
type tester interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// town is people, who shares chats with whom, and the nodes they use. Its time is
// that of a synctest bubble.
type town struct {
	t      tester
	leases presence.Leases
	facts  *register
	nodes  []*node

	mu   sync.Mutex
	deaf bool // announcements get lost
}

// node is a running tracker.
type node struct {
	*presence.Tracker

	town      *town
	announced [][]string
	stop      func()
}

func newTown(t tester, leases presence.Leases, nodes int) *town {
	t.Helper()
	w := &town{t: t, leases: leases, facts: newRegister()}
	for range nodes {
		w.node(leases)
	}
	return w
}

// inTown runs a test in a bubble, with some nodes over leases in memory.
func inTown(t *testing.T, nodes int, test func(w *town)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t, presence.NewMemory(), nodes)
		time.Sleep(time.Millisecond * 500) // between the ticks
		test(w)
		w.stop()
	})
}

func (w *town) node(leases presence.Leases) *node {
	n := &node{town: w}
	n.Tracker = presence.New(presence.Config{AwayAfter: awayAfter}, leases, w.facts, n, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
	w.nodes = append(w.nodes, n)
	return n
}

func (w *town) stop() {
	for _, n := range w.nodes {
		n.stop()
	}
}

// Announce implements presence.Announcer.
func (n *node) Announce(userIDs []string) {
	n.town.mu.Lock()
	defer n.town.mu.Unlock()
	n.announced = append(n.announced, userIDs)
	if n.town.deaf {
		return
	}
	for _, other := range n.town.nodes {
		if other != n {
			other.Changed(userIDs)
		}
	}
}

func (w *town) loseAnnouncements(lose bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = lose
}

func (n *node) announcements() int {
	n.town.mu.Lock()
	defer n.town.mu.Unlock()
	return len(n.announced)
}

// pass lets time pass, and waits for everything that happens meanwhile.
func (w *town) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// client is a device and what it displays.
type client struct {
	*presence.Device

	t     tester
	user  string
	mu    sync.Mutex
	shown map[string]chat.Presence
	told  map[string][]chat.Presence
}

func (w *town) join(n *node, user string) *client {
	w.facts.add(user)
	c := &client{t: w.t, user: user, shown: map[string]chat.Presence{}, told: map[string][]chat.Presence{}}
	c.Device = n.Join(user, c.push)
	return c
}

func (c *client) push(list []chat.Presence) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range list {
		c.shown[p.UserID] = p
		c.told[p.UserID] = append(c.told[p.UserID], p)
	}
}

func (c *client) watch(users ...string) []chat.Presence {
	c.t.Helper()
	list, err := c.Watch(context.Background(), users)
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.shown)
	for _, p := range list {
		c.shown[p.UserID] = p
	}
	return list
}

// pushes returns what came about a user since the last call.
func (c *client) pushes(user string) []chat.Presence {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.told[user]
	delete(c.told, user)
	return list
}

// wantPushes fails unless exactly these states came since the last call.
func (c *client) wantPushes(user string, want ...chat.PresenceState) []chat.Presence {
	c.t.Helper()
	list := c.pushes(user)
	var got []chat.PresenceState
	for _, p := range list {
		got = append(got, p.State)
	}
	if !slices.Equal(got, want) {
		c.t.Errorf("%s was told of %s: %v, want %v", c.user, user, got, want)
	}
	return list
}

// shows returns the state that the client displays of a user; "" if none.
func (c *client) shows(user string) chat.PresenceState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shown[user].State
}

func (w *town) set(n *node, user string, state chat.PresenceState) {
	w.t.Helper()
	if err := n.Set(context.Background(), user, state); err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) look(n *node, viewer, user string) chat.Presence {
	w.t.Helper()
	list, err := n.Read(context.Background(), viewer, []string{user})
	if err != nil || len(list) != 1 {
		w.t.Fatalf("read %v, %v", list, err)
	}
	return list[0]
}

// register keeps facts in memory. friends tells who shares a chat with whom.
type register struct {
	mu      sync.Mutex
	people  map[string]chat.PresenceFacts
	friends map[[2]string]bool
	err     error
	reads   int
	asked   func() // before an answer
	after   func() // what was read, once
}

func newRegister() *register {
	return &register{people: map[string]chat.PresenceFacts{}, friends: map[[2]string]bool{}}
}

func (r *register) add(users ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, u := range users {
		if _, ok := r.people[u]; !ok {
			r.people[u] = chat.PresenceFacts{UserID: u, Setting: chat.Online}
		}
	}
}

// share makes two people share a chat, or stop sharing one.
func (r *register) share(a, b string, yes bool) {
	r.add(a, b)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.friends[[2]string{a, b}], r.friends[[2]string{b, a}] = yes, yes
}

func (r *register) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func (r *register) lastActive(user string) chat.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.people[user].LastActiveAt
}

func (r *register) status(user, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.people[user]
	p.StatusText = text
	r.people[user] = p
}

// PresenceFacts implements presence.Facts.
func (r *register) PresenceFacts(_ context.Context, userIDs []string) ([]chat.PresenceFacts, error) {
	return r.find(userIDs, func(string) bool { return true })
}

// VisiblePresence implements presence.Facts.
func (r *register) VisiblePresence(_ context.Context, viewerID string, userIDs []string) ([]chat.PresenceFacts, error) {
	return r.find(userIDs, func(id string) bool { return id == viewerID || r.friends[[2]string{viewerID, id}] })
}

func (r *register) find(userIDs []string, visible func(string) bool) ([]chat.PresenceFacts, error) {
	if r.asked != nil {
		r.asked()
	}
	defer func() {
		if do := r.after; do != nil {
			r.after = nil
			do()
		}
	}()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	found := map[string]chat.PresenceFacts{}
	for _, id := range userIDs {
		if p, ok := r.people[id]; ok && visible(id) {
			found[id] = p
		}
	}
	return slices.Collect(maps.Values(found)), r.err
}

// SetPresence implements presence.Facts.
func (r *register) SetPresence(_ context.Context, userID string, setting chat.PresenceState, lastActive chat.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.people[userID]
	if p.Setting != chat.Invisible {
		p.LastActiveAt = max(p.LastActiveAt, lastActive)
	}
	p.Setting = setting
	r.people[userID] = p
	return r.err
}

// SaveLastActive implements presence.Facts.
func (r *register) SaveLastActive(_ context.Context, at map[string]chat.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	for id, t := range at {
		if p := r.people[id]; p.Setting != chat.Invisible {
			p.LastActiveAt = max(p.LastActiveAt, t)
			r.people[id] = p
		}
	}
	return nil
}
