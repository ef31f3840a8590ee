package hub

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Hub holds the streams and connections of one node. All methods are safe for concurrent use.
type Hub struct {
	cfg Config
	src Source
	bus Bus
	log *slog.Logger

	listener Listener // may be nil

	streams  streams
	registry registry
	wheel    wheel
	agenda   agenda
	tasks    tasks
	buffers  buffers
	writers  rawWriters
	intakes  intakes
	parking  parking
	stats    counters
	epoch    epoch

	epochRead time.Time // when the position check, its only user, last read the epoch

	busMu    sync.Mutex    // the outermost lock, held around Subscribe and Unsubscribe
	repairs  chan struct{} // a token per repair in progress
	checkNow chan struct{} // a token while a check of everything is requested
	lost     atomic.Bool   // the bus is out of reach
	refused  atomic.Bool   // the bus has refused a subscription
	ended    chan struct{} // closed when Run ends
}

// New returns a hub. Its timers, repairs and heartbeats work only while Run runs. What cannot be
// returned as an error goes to log.
func New(cfg Config, src Source, bus Bus, log *slog.Logger) *Hub {
	cfg = cfg.withDefaults()
	h := &Hub{
		cfg: cfg, src: src, bus: bus, log: log,
		repairs:  make(chan struct{}, cfg.Repairs),
		checkNow: make(chan struct{}, 1),
		ended:    make(chan struct{}),
	}
	h.streams.seed = maphash.MakeSeed()
	h.agenda.wake = make(chan struct{}, 1)
	shortest := min(cfg.PingEvery, cfg.PongWait, cfg.CommentEvery, cfg.CloseTimeout)
	h.wheel.tick = min(max(shortest/10, 5*time.Millisecond), 250*time.Millisecond)
	h.wheel.pos = h.wheel.tickOf(time.Now())
	return h
}

// Run drives repairs, the position check, heartbeats and lingering streams until ctx ends. Then it
// closes every connection at once (to say goodbye, close them first) and returns nil after the last
// goroutine of the hub has ended, owner calls included. Call it once.
func (h *Hub) Run(ctx context.Context) error {
	h.tasks.start(func() { h.runAgenda(ctx) })
	h.tasks.start(func() { h.runChecks(ctx) })
	h.tasks.start(func() { h.turnWheel(ctx) })
	<-ctx.Done()
	close(h.ended)
	for _, w := range h.wheel.end() {
		w.closeNow(ErrClosed)
	}
	h.parking.close()
	h.tasks.wait()
	return nil
}

// stopped reports whether Run has ended or is ending.
func (h *Hub) stopped() bool {
	select {
	case <-h.ended:
		return true
	default:
		return false
	}
}

// Publish hands on an event that this node has committed: to local subscribers first, then to the
// bus. It does not wait. The error wraps ErrBadEvent; nothing was published then.
func (h *Hub) Publish(e Event) error {
	e.Epoch, e.origin = h.epoch.tag.Load(), committed
	size := eventHeader + len(e.Stream) + len(e.Op) + len(e.Subject) + len(e.Data)
	data, err := e.AppendBinary(make([]byte, 0, size))
	if err != nil {
		return err
	}
	h.accept(e)
	h.bus.Publish(e.Stream, data, e.Trace)
	return nil
}

// Receive handles an event's binary form as the bus carried it to a stream, and the trace that came
// with it. The hub keeps data. An event published in another history of the database only shows
// that there may be something to read. The error wraps ErrBadEvent or is that of Config.Check.
func (h *Hub) Receive(stream string, data []byte, trace string) error {
	e, err := parseFor(stream, data)
	if err != nil {
		return err
	}
	if h.cfg.Check != nil {
		if e.Stamp, err = h.cfg.Check(e); err != nil {
			return err
		}
	}
	e.Trace, e.origin = trace, heard
	switch {
	case h.epoch.foreign(e.Epoch):
		h.noteForeign(e)
	case e.Kind.Has(Passing):
		h.pass(e)
	default:
		h.accept(e)
	}
	return nil
}

// Hinted handles an event's binary form from somebody who may not be believed: the stream is
// repaired if it has not reached the event's seq, and nothing else of it is used. The error wraps
// ErrBadEvent.
func (h *Hub) Hinted(stream string, data []byte) error {
	e, err := parseFor(stream, data)
	if err == nil && !e.Kind.Has(Passing) {
		h.Expect(stream, e.Seq)
	}
	return err
}

// parseFor reads an event that must belong to the stream.
func parseFor(stream string, data []byte) (Event, error) {
	e, err := ParseEvent(data)
	if err == nil && e.Stream != stream {
		err = fmt.Errorf("%w: of stream %q on %q", ErrBadEvent, e.Stream, stream)
	}
	return e, err
}

func (h *Hub) accept(e Event) {
	if s := h.streams.find(e.Stream); s != nil && !h.stopped() {
		s.accept(e, time.Now())
	}
}

// Expect notes that somebody has read or heard that a stream has reached seq: if the stream is
// followed here and behind, it is repaired. It does not wait, and a seq that does not exist does no
// harm.
func (h *Hub) Expect(stream string, seq int64) {
	if s := h.streams.find(stream); s != nil && !h.stopped() {
		s.expect(seq, time.Now())
	}
}

// Ephemeral sends a document that carries no seq to the subscribers of a stream, best effort: it
// skips connections with a backlog and users for whom to returns false (a nil to admits everybody).
// data is not kept; to is kept until the document is written.
func (h *Hub) Ephemeral(stream, op string, data []byte, to func(user string) bool) {
	if s := h.streams.find(stream); s != nil && !h.stopped() {
		s.ephemeral(op, "", data, to, time.Now())
	}
}

// Latest is Ephemeral for what replaces the last document of the same key: a connection with a
// backlog gets the newest of each, up to maxLatest of them, when it has caught up.
func (h *Hub) Latest(stream, op, key string, data []byte, to func(user string) bool) {
	if s := h.streams.find(stream); s != nil && !h.stopped() {
		s.ephemeral(op, key, data, to, time.Now())
	}
}

// CheckNow makes the position check look at every stream at once: after a reconnect of the bus, or
// when the bus has dropped messages.
func (h *Hub) CheckNow() {
	select {
	case h.checkNow <- struct{}{}:
	default:
	}
}

// BusLost sets whether the bus is out of reach; while it is, positions are checked every
// Config.CheckLost. Either change brings a check at once.
func (h *Hub) BusLost(lost bool) {
	if h.lost.Swap(lost) != lost {
		h.CheckNow()
	}
}

// Register makes a connection of a wire. user may be empty until Identify. owner.Closed is always
// called, even when the wire or the hub has already ended; the owner may then be called before
// Register returns.
func (h *Hub) Register(w *Wire, format Format, user string, owner Owner) *Conn {
	c := &Conn{hub: h, wire: w, format: format, user: user, owner: owner}
	h.registry.add(c)
	h.stats.connections.Add(1)
	w.mu.Lock()
	w.conn = c
	state, cause := w.state, w.err
	w.mu.Unlock()
	if state != wireOpen {
		c.leave()
	}
	switch {
	case state == wireOpen:
		h.wheel.arm(w, time.Now().Add(h.firstBeat(format)))
	case state == wireClosing:
	case !h.tasks.start(func() { c.closed(cause) }):
		h.registry.remove(c)
		h.stats.connections.Add(-1)
		owner.Closed(cause)
	}
	return c
}

// firstBeat spreads the heartbeats of connections that arrive together.
func (h *Hub) firstBeat(f Format) time.Duration {
	d := h.cfg.PingEvery
	if f == SSE {
		d = h.cfg.CommentEvery
	}
	return d/2 + jitterUp(d/2)
}

// Conns returns the connections of a user.
func (h *Hub) Conns(user string) []*Conn { return h.registry.of(user) }

// AllConns returns every registered connection.
func (h *Hub) AllConns() []*Conn { return h.registry.all() }

// Subscribers returns how many connections of this node are subscribed to a stream.
func (h *Hub) Subscribers(stream string) int {
	s := h.streams.find(stream)
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.subs.list)
}
