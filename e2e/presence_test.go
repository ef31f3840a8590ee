package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"fechatter/conform/client"
	"fechatter/e2e/cluster"
	"fechatter/e2e/proxy"
	"fechatter/presence/redistest"
)

// lease and grace are how long a device counts after its node has died, and after it
// left. slack is what a busy machine adds.
const (
	lease = 45 * time.Second
	grace = 5 * time.Second
	slack = 30 * time.Second
)

// company is nodes that share a Redis, and three people who share a chat: ada and eve
// on one node, bob on another.
type company struct {
	*scenario
	redis         *redistest.Server
	edge          *proxy.Proxy // between the nodes and Redis
	ada, bob, eve *client.Person
	chat          string
}

func beginCompany(t *testing.T) *company {
	t.Helper()
	redis, err := redistest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := redis.Stop(); err != nil {
			t.Error(err)
		}
	})
	edge, err := proxy.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(edge.Close)
	edge.Target("tcp", redis.Address())
	c := &company{redis: redis, edge: edge}
	c.scenario = begin(t, cluster.Config{Env: []string{"FECHATTER_PRESENCE=redis://" + edge.Addr()}})
	here, there := c.Nodes[0].URL(), c.Nodes[1].URL()
	c.ada, c.eve, c.bob = client.SignUp(t, here, "ada"), client.SignUp(t, here, "eve"), client.SignUp(t, there, "bob")
	c.chat = c.ada.Group(c.bob, c.eve)
	return c
}

func (c *company) mendEdge() error {
	c.edge.Set(proxy.Fault{})
	return nil
}

// state is the state of somebody in a frame; "" if the frame does not say.
func state(t *testing.T, f client.Frame, who *client.Person) string {
	t.Helper()
	users, _ := f.Field(t, "users").([]any)
	for _, u := range users {
		if u, ok := u.(map[string]any); ok && u["user_id"] == who.ID {
			return fmt.Sprint(u["state"])
		}
	}
	return ""
}

// await waits for a push that somebody is in a state, which must come in time.
func (c *company) await(s *client.Socket, who *client.Person, want string, within time.Duration) {
	c.t.Helper()
	began := time.Now()
	for {
		f, ok := s.Within(within-time.Since(began), func(f client.Frame) bool { return f.Op == "presence" && state(c.t, f, who) != "" })
		if !ok {
			c.t.Fatalf("%s is not %s after %s; seen\n%s", who.Name, want, time.Since(began), s.Story())
		}
		if state(c.t, f, who) == want {
			return
		}
	}
}

// count counts the pushes that somebody is in a state.
func count(t *testing.T, s *client.Socket, who *client.Person, in string) (n int) {
	t.Helper()
	for _, f := range s.Seen {
		if f.Op == "presence" && state(t, f, who) == in {
			n++
		}
	}
	return n
}

// knowsAbsence waits until this new Redis knows who is absent: eve, for one.
func (c *company) knowsAbsence() {
	c.t.Helper()
	c.eventually("sure that eve is absent", func() bool { return c.seen(c.eve) == "offline" })
}

// seen is the state of somebody when ada asks.
func (c *company) seen(who *client.Person) string {
	c.t.Helper()
	var seen struct {
		Users []struct{ State string }
	}
	c.ada.Rest("GET", "/presence?user_id="+who.ID, nil, http.StatusOK, &seen)
	if len(seen.Users) != 1 {
		return ""
	}
	return seen.Users[0].State
}

// TestPresenceAcrossNodes: two people on two nodes see each other come, type,
// read and go.
func TestPresenceAcrossNodes(t *testing.T) {
	t.Parallel()
	c := beginCompany(t)
	a := c.ada.Fresh()
	a.OK("presence.watch", map[string]any{"user_ids": []string{c.bob.ID}})
	b := c.bob.Fresh()
	c.await(a, c.bob, "online", slack)
	b.OK("typing.set", map[string]any{"chat_id": c.chat, "typing": true})
	a.Until("bob typing", func(f client.Frame) bool {
		return f.Op == "typing" && fmt.Sprint(f.Field(t, "user_ids")) == "["+c.bob.ID+"]"
	})
	seq := c.ada.Say(c.chat, "hello bob")
	b.Want("message.created")
	phone := c.bob.On(c.Nodes[2].URL()).Fresh()
	b.OK("cursor.set", map[string]any{"chat_id": c.chat, "read_seq": seq})
	a.Until("bob's cursor", func(f client.Frame) bool { return f.Op == "cursor" && f.Field(t, "read_seq") == float64(seq) })
	phone.Until("one's own cursor", func(f client.Frame) bool { return f.Op == "cursor" && f.Field(t, "unread") == 0.0 })
	b.OK("presence.set", map[string]any{"state": "dnd"})
	c.await(a, c.bob, "dnd", slack)
	c.knowsAbsence()
	_ = phone.WS.CloseNow()
	_ = b.WS.CloseNow()
	c.await(a, c.bob, "offline", grace+slack)
	if n := count(t, a, c.bob, "offline"); n != 1 {
		t.Errorf("%d pushes that bob left, want 1", n)
	}
}

// TestPresenceOfADeadNode: people on a node that is killed go offline within lease and
// grace, and each watcher learns it once. Those who come back on another node before
// that never left.
func TestPresenceOfADeadNode(t *testing.T) {
	heavy(t)
	c := beginCompany(t)
	a, e := c.ada.Fresh(), c.eve.On(c.Nodes[1].URL()).Fresh()
	b := c.bob.Fresh()
	watch := map[string]any{"user_ids": []string{c.bob.ID, c.eve.ID}}
	a.OK("presence.watch", watch)
	second := c.ada.On(c.Nodes[2].URL()).Fresh()
	second.OK("presence.watch", watch)
	if err := c.Nodes[1].Kill(); err != nil {
		t.Fatal(err)
	}
	back := c.eve.On(c.Nodes[2].URL()).Fresh()
	for _, s := range []*client.Socket{a, second} {
		c.await(s, c.bob, "offline", lease+grace+slack)
	}
	c.lasts(2 * grace)
	for _, s := range []*client.Socket{a, second} {
		s.OK("ping", map[string]any{})
		if n := count(t, s, c.bob, "offline"); n != 1 {
			t.Errorf("%d pushes that bob left, want 1", n)
		}
		if n := count(t, s, c.eve, "offline"); n != 0 {
			t.Errorf("eve, who only changed nodes, was said to leave %d times", n)
		}
	}
	for _, s := range []*client.Socket{b, e, back} {
		_ = s.WS.CloseNow()
	}
}

// TestPresenceWithoutRedis: while Redis is slow, away, frozen or empty, sends go on as
// before and nobody who is online is said to be offline; soon after it is back, every
// state is right again.
func TestPresenceWithoutRedis(t *testing.T) {
	heavy(t)
	c := beginCompany(t)
	a, b := c.ada.Fresh(), c.bob.Fresh()
	a.OK("presence.watch", map[string]any{"user_ids": []string{c.bob.ID}})
	faults := []struct {
		name        string
		begin, end  func() error
		lasts, heal time.Duration
	}{
		{"slow", func() error { c.edge.Set(proxy.Fault{Delay: 100 * time.Millisecond}); return nil }, c.mendEdge, 10 * time.Second, slack},
		{"cut off", func() error { c.edge.Set(proxy.Fault{HoldUp: true, HoldDown: true}); return nil }, c.mendEdge, 10 * time.Second, slack},
		{"frozen", c.redis.Freeze, c.redis.Thaw, 20 * time.Second, slack},
		{"killed, then empty", c.redis.Kill, func() error { return c.redis.Restart(t.Context()) }, 10 * time.Second, lease + slack},
	}
	for n, f := range faults {
		t.Logf("Redis %s", f.name)
		if err := f.begin(); err != nil {
			t.Fatal(err)
		}
		until := time.Now().Add(f.lasts)
		for i := 0; time.Now().Before(until); i++ {
			began := time.Now()
			b.OK("message.send", map[string]any{"chat_id": c.chat, "key": fmt.Sprintf("f%d-%d", n, i), "body": "on we go"})
			if took := time.Since(began); took > 8*time.Second {
				t.Errorf("a send takes %s while Redis is %s", took, f.name)
			}
			c.lasts(200 * time.Millisecond)
		}
		if err := f.end(); err != nil {
			t.Fatal(err)
		}
		b.OK("presence.set", map[string]any{"state": "dnd"})
		c.await(a, c.bob, "dnd", f.heal)
		b.OK("presence.set", map[string]any{"state": "online"})
		c.await(a, c.bob, "online", slack)
	}
	if n := count(t, a, c.bob, "offline"); n != 0 {
		t.Errorf("bob, who was online throughout, was said to be offline %d times", n)
	}
	if state := c.seen(c.bob); state != "online" {
		t.Errorf("at the end bob is %q", state)
	}
}
