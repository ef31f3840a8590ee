package hub

import (
	"context"
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

	listener Listener // nil: nobody listens

	streams  streams
	registry registry
	wheel    wheel
	agenda   agenda
	tasks    tasks
	buffers  buffers
	writers  rawWriters
	stats    counters
	epoch    epoch

	epochRead time.Time // the position check's own: when it last read the epoch

	busMu    sync.Mutex    // the outermost lock: around Subscribe and Unsubscribe
	repairs  chan struct{} // holds a token per repair under way
	checkNow chan struct{} // holds a token when a check of everything was asked for
	lost     atomic.Bool   // the bus
	refused  atomic.Bool   // the bus has refused a subscription
	ended    chan struct{} // closed when Run ends
}

// New makes a hub. Run must run for its timers, repairs and heartbeats. log is for what cannot be returned.
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

// Run drives repairs, the position check, heartbeats and lingering streams until ctx ends. Then it closes every
// connection at once (to say goodbye, close them before) and returns nil after the last goroutine of the hub, owner
// calls included, has ended. Call it once.
func (h *Hub) Run(ctx context.Context) error {
	h.tasks.start(func() { h.work(ctx) })
	h.tasks.start(func() { h.check(ctx) })
	h.tasks.start(func() { h.turn(ctx) })
	<-ctx.Done()
	close(h.ended)
	for _, w := range h.wheel.end() {
		w.closeNow(ErrClosed)
	}
	h.tasks.wait()
	return nil
}

// over reports whether Run has ended or is ending.
func (h *Hub) over() bool {
	select {
	case <-h.ended:
		return true
	default:
		return false
	}
}

// Publish takes an event that this node has committed: to local subscribers first, then to the bus. It does not wait.
// The error wraps ErrBadEvent; then nothing was published.
func (h *Hub) Publish(e Event) error {
	e.Epoch = h.epoch.tag.Load()
	size := eventHeader + len(e.Stream) + len(e.Op) + len(e.Subject) + len(e.Data)
	data, err := e.AppendBinary(make([]byte, 0, size))
	if err != nil {
		return err
	}
	h.take(e)
	h.bus.Publish(e.Stream, data, e.Trace)
	return nil
}

// Receive takes an event's binary form from the bus, and the trace that came with it. The hub keeps data. An event that was published in another history
// of the database only says that there may be something to read. The error wraps ErrBadEvent.
func (h *Hub) Receive(data []byte, trace string) error {
	e, err := ParseEvent(data)
	if err != nil {
		return err
	}
	e.Trace = trace
	switch {
	case h.epoch.foreign(e.Epoch):
		h.takeForeign(e)
	case e.Kind.Has(Passing):
		h.pass(e)
	default:
		h.take(e)
	}
	return nil
}

func (h *Hub) take(e Event) {
	if s := h.streams.find(e.Stream); s != nil && !h.over() {
		s.take(e, time.Now())
	}
}

// Expect says that somebody has read or heard that a stream came to a seq: if it is followed here and behind, it is
// repaired. It does not wait, and a seq that does not exist does no harm.
func (h *Hub) Expect(stream string, seq int64) {
	if s := h.streams.find(stream); s != nil && !h.over() {
		s.expect(seq, time.Now())
	}
}

// Ephemeral sends a document that carries no seq to the subscribers of a stream, best effort: it is skipped for
// connections that have anything queued, and for users whom to refuses (nil: for nobody). data is not kept; to is kept
// until the document is written.
func (h *Hub) Ephemeral(stream, op string, data []byte, to func(user string) bool) {
	if s := h.streams.find(stream); s != nil && !h.over() {
		s.ephemeral(op, data, to, time.Now())
	}
}

// CheckNow makes the position check look at every stream at once: after a reconnect or a drop of the bus.
func (h *Hub) CheckNow() {
	select {
	case h.checkNow <- struct{}{}:
	default:
	}
}

// BusLost says whether the bus is out of reach; while it is, positions are checked every Config.CheckLost. Either
// change brings a check at once.
func (h *Hub) BusLost(lost bool) {
	if h.lost.Swap(lost) != lost {
		h.CheckNow()
	}
}

// Register makes a connection of a wire. user may be empty until Identify. owner.Closed is called in every case, also
// when the wire or the hub has ended already; then the owner may be called before Register returns.
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

// firstBeat spreads the heartbeats of connections that come together.
func (h *Hub) firstBeat(f Format) time.Duration {
	d := h.cfg.PingEvery
	if f == SSE {
		d = h.cfg.CommentEvery
	}
	return d/2 + jitterUp(d/2)
}

// Conns answers the connections of a user.
func (h *Hub) Conns(user string) []*Conn { return h.registry.of(user) }

// AllConns answers every registered connection.
func (h *Hub) AllConns() []*Conn { return h.registry.all() }

// Subscribers answers how many connections of this node are subscribed to a stream.
func (h *Hub) Subscribers(stream string) int {
	s := h.streams.find(stream)
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.subs.list)
}
