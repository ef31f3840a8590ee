package server

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"fechatter/chat"
)

// heartbeatEvery is the hub's ping interval, which hello tells.
const heartbeatEvery = 25 * time.Second

const (
	sessionSweep = time.Minute // how often sessions of live connections are looked at
	sessionKeep  = time.Hour   // and how often one is extended
	// resumeTimeout bounds a resume from the moment it has its slot, which a
	// client that hardly reads would keep from the others.
	resumeTimeout = 2 * time.Minute
)

// realtime is what WebSockets and SSE streams share.
type realtime struct {
	running     sync.WaitGroup // readers and workers
	connections registry
	resumes     *turns
	draining    atomic.Bool  // no new connections
	strangers   atomic.Int64 // connections that have not said who they are
}

func newRealtime() *realtime {
	return &realtime{
		connections: registry{all: map[*connection]struct{}{}},
		resumes:     newTurns(maxResumes, maxUserResumes),
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

// list gives the connections that match, or all with a nil match.
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

// Run gives SSE streams their tokens, live connections their sessions and hints
// their time until ctx ends. It returns after every connection's goroutines have ended: the hub,
// which closes the connections, must be stopped by then or by the same ctx.
func (s *Server) Run(ctx context.Context) error {
	var own sync.WaitGroup
	own.Go(func() { s.sendTokens(ctx) })
	own.Go(func() { s.keepSessions(ctx) })
	own.Go(func() { s.tellHints(ctx) })
	own.Go(func() { s.watchPressure(ctx) })
	own.Wait()
	s.realtime.running.Wait()
	return nil
}

// keepSessions extends the sessions of live connections: a connection is use.
// It also ends those whose session is gone, should every hint have been lost.
func (s *Server) keepSessions(ctx context.Context) {
	tick := time.NewTicker(sessionSweep)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, c := range s.realtime.connections.list(nil) {
				c.keepSession(ctx, now)
			}
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

// holdSession extends the connection's session, and ends the connection when
// there is none any more. What keeps the store from answering changes nothing.
func (c *connection) holdSession(ctx context.Context) bool {
	c.mu.Lock()
	id := c.session.ID
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	if _, err := c.server.chat.KeepSession(ctx, id); chat.CodeOf(err) == chat.NotFound {
		c.socket.Close(closeRevoked, "session revoked")
		return false
	}
	return true
}
