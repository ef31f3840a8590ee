package presence_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fechatter/chat"
	"fechatter/presence"
	"fechatter/presence/presencetest"
)

// street is a town where anything may happen: three people who share chats, one
// who is never here, and a stranger, on three nodes, one of which may be cut off
// from the leases.
type street struct {
	*town

	line    *breakable
	devices []*client
	hidden  map[string]chat.Time // since when each invisible person has been so
}

var (
	residents = []string{"ann", "bob", "cid"}
	everybody = []string{"ann", "bob", "cid", "nob", "zoe"}
)

func newStreet(t tester) *street {
	s := &street{town: newTown(t, presence.NewMemory(), 2), hidden: map[string]chat.Time{}}
	s.line = &breakable{Leases: s.leases}
	s.node(s.line)
	for _, a := range everybody[:4] {
		for _, b := range residents {
			s.facts.share(a, b, a != b)
		}
	}
	s.facts.add("zoe")
	time.Sleep(500 * time.Millisecond) // between the ticks
	return s
}

// saw judges what a viewer was shown of others.
func (s *street) saw(viewer string, list []chat.Presence) {
	for _, p := range list {
		since, hides := s.hidden[p.UserID]
		switch {
		case p.UserID == "zoe" || p.UserID == "nob" && p.State != chat.Offline && p.State != chat.Unknown:
			s.t.Errorf("%s saw %s %s", viewer, p.UserID, p.State)
		case p.UserID == viewer || !hides:
		case p.State != chat.Offline && p.State != chat.Unknown:
			s.t.Errorf("%s saw %s %s while invisible", viewer, p.UserID, p.State)
		case p.LastActiveAt != nil && *p.LastActiveAt > since:
			s.t.Errorf("%s saw %s active %v after becoming invisible", viewer, p.UserID, *p.LastActiveAt-since)
		}
	}
}

// seen judges what was pushed to everybody, in order.
func (s *street) seen() {
	for _, c := range s.devices {
		c.mu.Lock()
		for _, list := range c.told {
			s.saw(c.user, list)
		}
		clear(c.told)
		c.mu.Unlock()
	}
}

func (s *street) anyDevice(rt *rapid.T) int {
	if len(s.devices) == 0 {
		rt.Skip("nobody is here")
	}
	return rapid.IntRange(0, len(s.devices)-1).Draw(rt, "device")
}

func (s *street) anyNode(rt *rapid.T) *node {
	return s.nodes[rapid.IntRange(0, len(s.nodes)-1).Draw(rt, "node")]
}

// actions are what may happen; after each, nobody has seen too much.
func (s *street) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"join": func(rt *rapid.T) {
			if len(s.devices) < 8 {
				s.devices = append(s.devices, s.join(s.anyNode(rt), rapid.SampledFrom(residents).Draw(rt, "user")))
			}
		},
		"leave": func(rt *rapid.T) {
			i := s.anyDevice(rt)
			s.devices[i].Leave()
			s.devices = slices.Delete(s.devices, i, i+1)
		},
		"act": func(rt *rapid.T) { s.devices[s.anyDevice(rt)].Active() },
		"watch": func(rt *rapid.T) {
			c := s.devices[s.anyDevice(rt)]
			s.saw(c.user, c.watch(rapid.SliceOfN(rapid.SampledFrom(everybody), 1, 5).Draw(rt, "users")...))
		},
		"set":  s.setAny,
		"read": func(rt *rapid.T) { s.compare(s.anyNode(rt)) },
		"status": func(rt *rapid.T) {
			user := rapid.SampledFrom(residents).Draw(rt, "user")
			s.facts.status(user, rapid.SampledFrom([]string{"", "busy"}).Draw(rt, "text"))
			s.anyNode(rt).ProfileChanged(user)
		},
		"cut":      func(rt *rapid.T) { s.line.cut.Store(rapid.Bool().Draw(rt, "off")) },
		"announce": func(rt *rapid.T) { s.loseAnnouncements(rapid.Bool().Draw(rt, "lose")) },
		"seconds":  func(rt *rapid.T) { s.pass(time.Duration(rapid.IntRange(1, 20).Draw(rt, "s")) * time.Second) },
		"minutes":  func(rt *rapid.T) { s.pass(time.Duration(rapid.IntRange(1, 6).Draw(rt, "min")) * time.Minute) },
		"":         func(*rapid.T) { s.seen() },
	}
}

func (s *street) setAny(rt *rapid.T) {
	user := rapid.SampledFrom(residents).Draw(rt, "user")
	state := rapid.SampledFrom([]chat.PresenceState{chat.Online, chat.Away, chat.DND, chat.Invisible, chat.Invisible}).Draw(rt, "state")
	s.set(s.anyNode(rt), user, state)
	if _, hides := s.hidden[user]; state != chat.Invisible {
		delete(s.hidden, user)
	} else if !hides {
		s.hidden[user] = chat.TimeOf(time.Now())
	}
}

// compare compares an invisible person with one who is never here: only their
// last activity may tell them apart.
func (s *street) compare(n *node) {
	for _, viewer := range residents {
		list, err := n.Read(context.Background(), viewer, everybody)
		if err != nil {
			s.t.Fatal(err)
		}
		s.saw(viewer, list)
		nob := list[len(list)-1]
		for _, p := range list {
			if _, hides := s.hidden[p.UserID]; hides && p.UserID != viewer && p.State != nob.State {
				s.t.Fatalf("invisible %s is %s, somebody never here %s", p.UserID, p.State, nob.State)
			}
		}
	}
}

// clear makes everybody leave.
func (s *street) clear() {
	for _, c := range s.devices {
		c.Leave()
	}
	s.pass(presencetest.TTL + spread)
	for i, n := range s.nodes {
		if !n.Empty() {
			s.t.Errorf("node %d is not empty", i)
		}
	}
}

// converge lets things calm down, after which everybody knows how things are.
func (s *street) converge(rt *rapid.T) {
	s.line.cut.Store(false)
	s.loseAnnouncements(false)
	calm := awayAfter + time.Minute // all who are here are away
	if rapid.Bool().Draw(rt, "awake") {
		calm = time.Minute
		for _, c := range s.devices {
			c.Active()
		}
	}
	s.pass(calm)
	s.seen()
	for _, c := range s.devices {
		for user, shown := range c.shown {
			p := s.look(s.nodes[0], c.user, user)
			if p.State != shown.State || p.Status != shown.Status {
				s.t.Fatalf("%s shows %s as %s %q, is %s %q", c.user, user, shown.State, shown.StatusText, p.State, p.StatusText)
			}
		}
	}
}

// Whatever happens, nobody learns anything about an invisible person from after
// they became so; in the end everybody knows how things are, and nothing is kept
// of those who left.
func TestAnythingMayHappen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rapid.SyncTest(rt, func(rt *rapid.T) {
			s := newStreet(rt)
			defer s.stop()
			rt.Repeat(s.actions())
			s.converge(rt)
			s.clear()
		})
	})
}
