package server

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"fechatter/chat"
)

// heartbeatEvery is the hub's ping interval, as announced in hello.
const heartbeatEvery = 25 * time.Second

const (
	sessionSweep = time.Minute // how often the sessions of live connections are checked
	sessionKeep  = time.Hour   // how often one is extended
	// resumeTimeout bounds a resume from the moment it has its turn, which a client
	// that hardly reads would keep from the others.
	resumeTimeout = 2 * time.Minute
)

// realtime is what WebSockets and SSE streams share.
type realtime struct {
	running     sync.WaitGroup // who welcome, subscribe and answer; the hub reads
	connections registry
	resumes     *resumeLine
	draining    atomic.Bool // no new connections
	strangers   *strangers
}

func newRealtime(q Quotas) *realtime {
	return &realtime{
		connections: registry{all: map[*connection]struct{}{}},
		strangers:   newStrangers(q.Strangers),
		resumes:     newResumeLine(),
	}
}

// registry knows the live connections. Its methods may be called concurrently.
type registry struct {
	mu  sync.Mutex
	all map[*connection]struct{}
}

func (r *registry) add(c *connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all[c] = struct{}{}
}

func (r *registry) remove(c *connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, c)
}

func (r *registry) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

// list returns the connections that match, or all for a nil match.
func (r *registry) list(match func(*connection) bool) []*connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*connection
	for c := range r.all {
		if match == nil || match(c) {
			list = append(list, c)
		}
	}
	return list
}

func isSSE(c *connection) bool { return c.sse != nil }

// Run sends SSE streams their tokens, extends the sessions of live connections,
// sends hints when they are due, watches the pressure and writes down what users have
// stored, until ctx ends. It returns
// after every connection's goroutines have ended: the hub, which closes the
// connections, must be stopped by then or by the same ctx.
func (s *Server) Run(ctx context.Context) error {
	var own sync.WaitGroup
	own.Go(func() { s.sendTokens(ctx) })
	own.Go(func() { s.keepSessions(ctx) })
	own.Go(func() { s.sendHints(ctx) })
	own.Go(func() { s.watchPressure(ctx) })
	own.Go(func() { s.keepUsage(ctx) })
	own.Wait()
	s.realtime.running.Wait()
	return nil
}

// keepSessions extends the sessions of live connections: being connected is use. It
// also ends those whose session is gone, should every hint have been lost.
func (s *Server) keepSessions(ctx context.Context) {
	every(ctx, sessionSweep, func(now time.Time) {
		for _, c := range s.realtime.connections.list(nil) {
			c.keepSession(ctx, now)
		}
	})
}

// every calls do once per interval until ctx ends, never twice at a time.
func every(ctx context.Context, interval time.Duration, do func(now time.Time)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			do(now)
		}
	}
}

func (c *connection) keepSession(ctx context.Context, now time.Time) {
	c.mu.Lock()
	due := c.session.ID != "" && now.Sub(c.kept) >= sessionKeep
	if due {
		c.kept = now
	}
	c.mu.Unlock()
	if due {
		c.holdSession(ctx)
	}
}

// holdSession extends the connection's session, and ends the connection if the
// session is gone. A store that cannot answer changes nothing.
func (c *connection) holdSession(ctx context.Context) bool {
	c.mu.Lock()
	session := c.session
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	if err := c.server.chat.KeepSession(ctx, session); chat.CodeOf(err) == chat.NotFound {
		c.socket.Close(closeRevoked, "session revoked")
		return false
	}
	return true
}
