package load

import (
	"fmt"
	"sync"
	"time"

	"fechatter/e2e/check"
)

// recorder holds what everybody saw. Its methods may be called concurrently.
type recorder struct {
	start  time.Time
	events sync.Map // by raw frame, so that equal events are one in memory

	mu          sync.Mutex
	sends       []*check.Send
	cursors     []check.Cursor
	connections []*check.Connection
	faults      []string
	failed      []string // attempts of sends
}

// now is the clock that all clients share; it is never 0.
func (r *recorder) now() time.Duration { return time.Since(r.start) + 1 }

func (r *recorder) fault(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, fmt.Sprintf("%s: %s", r.now().Round(time.Millisecond), fmt.Sprintf(format, args...)))
}

// attempt notes a failed attempt of a send while the server was there. One that
// was under way when its connection ended has not failed.
func (r *recorder) attempt(by string, err error) {
	if final(err) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, fmt.Sprintf("%s: %s: %v", r.now().Round(time.Millisecond), by, err))
}

// begin notes a send before its first attempt.
func (r *recorder) begin(s check.Send) *check.Send {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Begun = r.now()
	r.sends = append(r.sends, &s)
	return &s
}

// acked notes the ack of a send. A send may be acknowledged more than once, each
// time with the same answer.
func (r *recorder) acked(s *check.Send, a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case s.Acked == 0:
		s.Acked, s.MessageID, s.Seq, s.TS = r.now(), a.id(), a.Seq, a.ts()
	case s.MessageID != a.id() || s.Seq != a.Seq || s.TS != a.ts():
		r.faults = append(r.faults, fmt.Sprintf("%s was acknowledged as %s at %d, and as %s at %d", s.Key, s.MessageID, s.Seq, a.id(), a.Seq))
	}
}

// stored notes a cursor that the server acknowledged.
func (r *recorder) stored(c check.Cursor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cursors = append(r.cursors, c)
}

// connection notes a connection, whose frames belong to its device until the end.
func (r *recorder) connection(c check.Connection) *check.Connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.Name = fmt.Sprintf("%s, connection %d at %s", c.Name, len(r.connections), r.now().Round(time.Millisecond))
	r.connections = append(r.connections, &c)
	return &c
}

// frame parses what the server said; equal events are one in memory.
func (r *recorder) frame(data []byte) (check.Frame, error) {
	f, err := check.ParseFrame(data)
	if err == nil && f.Event != nil {
		e, _ := r.events.LoadOrStore(string(data), f.Event)
		f.Event = e.(*check.Event)
	}
	return f, err
}

// run returns what was noted. Nobody may note anything after it.
func (r *recorder) run() *check.Run {
	run := &check.Run{Faults: r.faults, Cursors: r.cursors}
	for _, s := range r.sends {
		run.Sends = append(run.Sends, *s)
	}
	for _, c := range r.connections {
		run.Connections = append(run.Connections, *c)
	}
	return run
}
