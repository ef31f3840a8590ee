package conform

import (
	"net/http"
	"strings"
	"time"

	"fechatter/conform/client"
)

// §3 and §5, frames and close codes.

func ping(size int) string {
	return `{"id":"1","op":"ping","d":{"x":"` + strings.Repeat("x", size) + `"}}`
}

func invalidUTF8(_ *T, c *cast) {
	s := c.ada.Fresh()
	s.Text("{\"id\":\"\xff\",\"op\":\"ping\"}")
	s.Closes(1007)
}

func binary(_ *T, c *cast) {
	s := c.ada.Fresh()
	s.Binary(`{"id":"1","op":"ping"}`)
	s.Closes(4502)
}

func notJSON(_ *T, c *cast) {
	for _, data := range []string{`ping`, `[]`, `"ping"`, `{"id":"1"`, ``} {
		s := c.ada.Fresh()
		s.Text(data)
		s.Closes(4502)
	}
}

func secondResume(_ *T, c *cast) {
	s := c.ada.Fresh()
	s.Say("2", "resume", object{})
	s.Closes(4502)
}

func frameLimits(t *T, c *cast) {
	nobody := client.Dial(t, c.run.url, nil)
	nobody.Text(ping(4 << 10))
	nobody.Closes(1009)

	early := c.ada.Dial()
	early.Text(ping(512 << 10))
	early.Want("ok")
	early.Text(ping(1 << 20))
	early.Closes(1009)

	l := c.limits()
	late := c.ada.Fresh()
	late.Text(ping(l.FrameBytes - 100))
	late.Want("ok")
	late.Text(ping(l.FrameBytes))
	late.Closes(1009)
}

func authTimeout(t *T, c *cast) {
	s := client.Dial(t, c.run.url, http.Header{"Authorization": {"Bearer nonsense"}})
	s.Refused("ping", object{}, "unauthenticated")
	within(t, "closing", 7*time.Second, func() { s.Closes(4501) })
}

// closesRateLimited ignores refusals until the server has had enough.
func closesRateLimited(t *T, c *cast) {
	l := c.limits()
	if l.SendsPerSecond == 0 || l.SendBurst > 50 {
		t.Skipf("sends_per_second is %d and send_burst %d", l.SendsPerSecond, l.SendBurst)
	}
	id := c.eve.Group()
	s := c.eve.Fresh()
	for refusals := 0; refusals < 10*l.SendBurst; {
		f := s.Call("message.send", object{"chat_id": id, "key": client.NewKey(), "body": "x"})
		if f.Op == "ok" {
			continue
		}
		equal(t, "code", f.Field(t, "code"), any("rate_limited"))
		refusals++
	}
	s.Closes(4005)
}

// pings waits for the server to check whether its client is alive.
func pings(t *T, c *cast) {
	s := c.ada.Fresh()
	beat, ok := s.Seen[0].Field(t, "heartbeat_ms").(float64)
	if !ok || beat < 1000 || beat > 60_000 {
		t.Fatalf("heartbeat_ms is %v", beat)
	}
	select {
	case <-s.Pinged():
	case <-time.After(time.Duration(beat)*time.Millisecond*3/2 + time.Second + t.pace.slack):
		t.Errorf("no ping within one and a half times %v ms", beat)
	case <-t.Context().Done():
		t.Errorf("no ping: %v", t.Context().Err())
	}
	s.OK("ping", object{})
}

// tooMany opens connections until the server refuses one.
func tooMany(t *T, c *cast) {
	const most = 64
	p := c.newcomer("hal")
	header := http.Header{"Authorization": {"Bearer " + p.Token}}
	open := []*client.Socket{}
	for range most {
		s := client.Dial(t, c.run.url, header)
		if code := s.Ended("hello"); code != 0 {
			equal(t, "close code of the connection that is too many", code, 4504)
			for _, other := range open {
				other.OK("ping", object{})
			}
			return
		}
		open = append(open, s)
	}
	t.Skipf("a user may have more than %d connections", most)
}
