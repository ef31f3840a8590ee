package server

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/hub"
)

// leaver is a client that is asked to go: when it was asked, for when, and when its
// connection ended.
type leaver struct {
	told, due, end time.Duration
	frames         int
}

// leave connects a client that goes when its time comes or, unless it obeys, never.
func leave(t *testing.T, s *Server, begin time.Time, obeys bool, into *leaver, all *sync.WaitGroup) {
	ours, theirs := net.Pipe()
	c := &connection{server: s}
	wire := s.hub.NewWire(ours, nil)
	c.socket = s.hub.Register(wire, hub.WebSocket, "", c)
	s.realtime.connections.add(c)
	c.socket.Read(c)
	all.Go(func() {
		for buf := make([]byte, 512); ; {
			n, err := theirs.Read(buf)
			if err != nil {
				into.end = time.Since(begin)
				return
			}
			if buf[0] == 0x88 { // close
				into.end = time.Since(begin)
				_ = theirs.Close()
				return
			}
			_, text, isFrame := strings.Cut(string(buf[:n]), `"drain","d":`)
			if !isFrame {
				continue
			}
			var d drainData
			if err := json.NewDecoder(strings.NewReader(text)).Decode(&d); err != nil {
				t.Error(err)
			}
			into.told, into.frames = time.Since(begin), into.frames+1
			into.due = into.told + time.Duration(d.RetryAfterMS)*time.Millisecond
			if obeys {
				all.Go(func() { time.Sleep(time.Duration(d.RetryAfterMS) * time.Millisecond); _ = theirs.Close() })
			}
		}
	})
}

// peak returns how many of the times fall into the fullest tenth of their span, as a
// multiple of the mean.
func peak(times []time.Duration) float64 {
	const bins = 10
	var counts [bins]int
	first, last := slices.Min(times), slices.Max(times)
	for _, at := range times {
		counts[min(bins-1, int((at-first)*bins/(last-first)))]++
	}
	return float64(slices.Max(counts[:])) * bins / float64(len(times))
}

// Clients are sent away evenly over the window, each once, and those that stay are
// closed in the same waves; all of it ends in time.
func TestDrainInWaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 2000
		s := over(t, nil)
		begin := time.Now()
		var all sync.WaitGroup
		list := make([]leaver, clients)
		for i := range list {
			leave(t, s, begin, i%2 == 0, &list[i], &all)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		s.Drain(ctx)
		took := time.Since(begin)
		for _, c := range s.realtime.connections.list(nil) {
			c.socket.CloseNow()
		}
		all.Wait()
		if took > 8*time.Second || took < 5*time.Second {
			t.Errorf("the drain took %s", took)
		}
		var due, closed []time.Duration
		for i, l := range list {
			if l.frames != 1 || l.told > time.Second {
				t.Fatalf("client %d was asked %d times, the last %s after the start", i, l.frames, l.told)
			}
			due = append(due, l.due)
			if i%2 == 1 {
				closed = append(closed, l.end)
			} else if l.end > l.due+50*time.Millisecond {
				t.Errorf("client %d left %s after the start, its time was %s", i, l.end, l.due)
			}
		}
		if p := peak(due); p > 1.2 {
			t.Errorf("the peak of those who come back is %.2f times the mean", p)
		}
		if p := peak(closed); p > 1.5 {
			t.Errorf("the peak of those who are closed is %.2f times the mean", p)
		}
	})
}

// A few clients are gone soon: nobody waits for a window that they do not fill.
func TestDrainOfFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := over(t, nil)
		begin := time.Now()
		var all sync.WaitGroup
		list := make([]leaver, 3)
		for i := range list {
			leave(t, s, begin, true, &list[i], &all)
		}
		s.Drain(t.Context())
		if took := time.Since(begin); took > 200*time.Millisecond {
			t.Errorf("the drain of three took %s", took)
		}
		all.Wait()
		if w := serve(s.Handler(), httptest.NewRequest(http.MethodGet, "/ws", nil)); w.Code != http.StatusServiceUnavailable {
			t.Errorf("an upgrade while the node drains: %d", w.Code)
		}
	})
}
