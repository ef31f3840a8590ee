package bus

import (
	"testing"
)

// Announcements reach every other node, also after the server was away.
func TestAnnounce(t *testing.T) {
	srv := startProcess(t)
	one, two, three := &recorder{}, &recorder{}, &recorder{}
	a, b, c := newBus(t, Config{URL: srv.url}), newBus(t, Config{URL: srv.url}), newBus(t, Config{URL: srv.url})
	for bus, node := range map[*Bus]*recorder{a: one, b: two, c: three} {
		run(t, bus, node)
		connected(t, bus)
		flush(t, bus)
	}
	a.Announce([]byte("first"))
	eventually(t, "the announcement", func() bool { return two.announced() == "first" && three.announced() == "first" })
	srv.kill()
	eventually(t, "the loss", func() bool { return !a.Stats().Connected && !b.Stats().Connected && !c.Stats().Connected })
	srv.restart(t)
	for _, bus := range []*Bus{a, b, c} {
		connected(t, bus)
		flush(t, bus)
	}
	b.Announce([]byte("second"))
	eventually(t, "the announcement after the restart", func() bool {
		return one.announced() == "second" && three.announced() == "first second"
	})
	if one.received()+two.received()+three.received() > 0 {
		t.Error("an announcement was taken for an event")
	}
	if got := two.announced(); got != "first" {
		t.Errorf("the announcer heard %q", got)
	}
}
