package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"fechatter/chat"
	"fechatter/hub"
	"fechatter/security"
)

// Close codes of the wire contract that this package sends.
const (
	closeInvalidUTF8     = 1007
	closeRestart         = 1012
	closeTryLater        = 1013
	closeSlow            = 4002
	closeRateLimited     = 4005
	closeRevoked         = 4500
	closeUnauthenticated = 4501
	closeProtocol        = 4502
	closeExpired         = 4503
	closeTooMany         = 4504
)

// maxJobs bounds the queue of one connection's worker. A user added to every chat
// they may be in still fits.
const maxJobs = 4096

// connection is one client on a WebSocket or an SSE stream, from the upgrade to
// the end. Its reader runs commands. Its worker, a goroutine that lives only while
// there are jobs, subscribes and unsubscribes, one job after the other, so that
// only it touches places, resumed and the token's state.
type connection struct {
	server *Server
	from   netip.Addr
	socket *hub.Conn
	sse    *sseState // nil on a WebSocket

	mu      sync.Mutex
	session chat.Session // zero until authenticated
	kept    time.Time    // when the session was last extended
	jobs    []func(context.Context)
	cancel  context.CancelFunc // of the worker's context, while it runs
	closed  bool
	device  Device              // nil until welcomed
	held    map[string]struct{} // users whose presence was held back while it is dropped
	// authJudged is true while an auth is being judged, authLate when the time for it is up.
	authJudged, authLate bool
	stranger             func() // leaves realtime.strangers; nil: not counted there
	greeted              bool   // hello was sent
	expiry               *time.Timer

	sends pipeline

	// Only the worker touches these.
	resumed bool
	places  places
	hiding  map[string]struct{} // hidden chats that the client does not have; nil: none
	blocked []string            // whom the user has blocked, sorted, as read last

	// Only the reader touches these.
	resuming  bool // resume was received
	allowance allowance
}

func (c *connection) user() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.UserID
}

// caller is whoever uses the connection, for the security log.
func (c *connection) caller() caller {
	c.mu.Lock()
	defer c.mu.Unlock()
	return caller{session: c.session, at: c.from}
}

// noteLimit writes a security event about a limit that this connection has hit.
func (c *connection) noteLimit(limit string) {
	c.server.note(c.caller(), security.Entry{Event: security.LimitHit, Limit: limit})
}

// do queues a job for the worker, and starts one if none runs.
func (c *connection) do(job func(context.Context)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	if len(c.jobs) >= maxJobs {
		c.socket.Close(closeTryLater, "too many events at once")
		return
	}
	c.jobs = append(c.jobs, job)
	if c.cancel == nil {
		ctx, cancel := context.WithCancel(context.Background())
		c.cancel = cancel
		c.server.realtime.running.Go(func() { c.work(ctx, cancel) })
	}
}

func (c *connection) work(ctx context.Context, cancel context.CancelFunc) {
	defer cancel()
	for {
		c.mu.Lock()
		if c.closed || len(c.jobs) == 0 {
			c.jobs, c.cancel = nil, nil
			c.mu.Unlock()
			return
		}
		job := c.jobs[0]
		c.jobs = c.jobs[1:]
		c.mu.Unlock()
		c.run(ctx, job)
	}
}

func (c *connection) run(ctx context.Context, job func(context.Context)) {
	defer c.contain()
	job(ctx)
}

// contain is deferred by each goroutine of a connection: a panic ends the
// connection, not the process.
func (c *connection) contain() {
	if v := recover(); v != nil {
		c.server.log.Error("panic in a connection", "panic", v, "stack", string(debug.Stack()))
		c.socket.Close(closeTryLater, "internal error")
	}
}

// Personal is called by the hub with each event of the user's own stream.
func (c *connection) Personal(e hub.Event) {
	var event struct {
		D struct {
			ChatID    string `json:"chat_id"`
			Seq       int64  `json:"seq"`
			SessionID string `json:"session_id"`
			UserID    string `json:"user_id"`
		} `json:"d"`
	}
	if err := json.Unmarshal(e.Data, &event); err != nil {
		c.server.log.Error("read personal event", "op", e.Op, "error", err)
		return
	}
	d := event.D
	switch chat.Op(e.Op) {
	case chat.OpChatJoined:
		c.do(func(ctx context.Context) { c.joined(ctx, d.ChatID, d.Seq) })
	case chat.OpChatLeft:
		c.do(func(context.Context) { c.left(d.ChatID, d.Seq) })
	case chat.OpSessionRevoked:
		c.revoked(d.SessionID)
	case chat.OpBlockAdded, chat.OpBlockRemoved:
		c.do(func(ctx context.Context) { c.blockChanged(ctx, chat.Op(e.Op), d.UserID) })
	}
}

// Detached is called by the hub after a removal was queued as a chat's last frame.
func (c *connection) Detached(stream string, seq int64) {
	c.do(func(ctx context.Context) { c.detached(ctx, stream, seq) })
}

// Reset is called by the hub when it has ended a subscription that it could not continue.
func (c *connection) Reset(stream string, _ int64, reason string) {
	switch {
	case stream == c.user():
		c.do(c.resetPersonal)
		return
	case reason == hub.ReasonMoved:
		c.do(func(ctx context.Context) { c.shown(ctx, stream) })
		return
	}
	c.do(func(ctx context.Context) { c.reset(ctx, stream, reason) })
}

// Closed is called by the hub once, at the end.
func (c *connection) Closed(cause error) {
	c.server.rates.floods.note(c.user(), sourceOf(c.from), cause)
	c.mu.Lock()
	c.closed, c.jobs = true, nil
	c.noStranger()
	if c.expiry != nil {
		c.expiry.Stop()
	}
	if c.cancel != nil {
		c.cancel()
	}
	c.mu.Unlock()
	c.server.realtime.connections.remove(c)
	c.server.hints.blocks.release(c.user(), c)
	c.depart()
}

// revoked informs the client, and ends the connection if the session is its own.
func (c *connection) revoked(sessionID string) {
	c.send(pushFrame{Op: string(chat.OpSessionRevoked), D: chat.SessionRevoked{SessionID: sessionID}})
	c.mu.Lock()
	own := c.session.ID == sessionID
	c.mu.Unlock()
	if own {
		c.socket.Close(closeRevoked, "session revoked")
	}
}

// fail ends the connection because the truth cannot be read now: the client comes
// back and resumes. A cancelled ctx means that the connection has ended already; an
// expired one, that this took too long.
func (c *connection) fail(ctx context.Context, what string, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	c.server.log.Warn(what, "user", c.user(), "error", err)
	c.socket.Close(closeTryLater, "try again later")
}
