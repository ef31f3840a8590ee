package hub

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"time"
)

// Hub holds the streams and connections of one node. All methods are safe for concurrent use.
type Hub struct{}

// New makes a hub; Run must run for its timers, repairs and heartbeats. log is for what cannot be returned.
func New(cfg Config, src Source, bus Bus, log *slog.Logger) *Hub { panic("draft") }

// Run drives repairs, the position check, heartbeats and lingering streams until ctx ends. Then it closes every
// connection and returns after the last goroutine of the hub has ended. Call it once.
func (h *Hub) Run(ctx context.Context) error { panic("draft") }

// Publish takes an event that this node has committed: to local subscribers first, then to the bus. It does not wait.
// The error wraps ErrBadEvent; then nothing was published.
func (h *Hub) Publish(e Event) error { panic("draft") }

// Receive takes an event's binary form from the bus. The hub keeps data. The error wraps ErrBadEvent.
func (h *Hub) Receive(data []byte) error { panic("draft") }

// Ephemeral sends a document that carries no seq to the subscribers of a stream, best effort: it is skipped for
// connections that have anything queued, and for those of exceptUser (empty: for nobody's).
func (h *Hub) Ephemeral(stream, op string, data []byte, exceptUser string) { panic("draft") }

// CheckNow makes the position check look at every stream at once: after a reconnect or a drop of the bus.
func (h *Hub) CheckNow() { panic("draft") }

// BusLost says whether the bus is out of reach; while it is, positions are checked every Config.CheckLost.
func (h *Hub) BusLost(lost bool) { panic("draft") }

// Stats answers the counters as of now.
func (h *Hub) Stats() Stats { panic("draft") }

// Conns answers the connections of a user.
func (h *Hub) Conns(user string) []*Conn { panic("draft") }

// AllConns answers every registered connection.
func (h *Hub) AllConns() []*Conn { panic("draft") }

// Subscribers answers how many connections of this node are subscribed to a stream.
func (h *Hub) Subscribers(stream string) int { panic("draft") }

// Open makes sure that the streams are subscribed on the bus, and keeps them so until release is called (idempotent).
// It must come before the positions are read that Attach is given. A lost bus is no error: the position check covers
// it. The error is ErrClosed or the context's.
func (h *Hub) Open(ctx context.Context, streams ...string) (release func(), err error) {
	panic("draft")
}

// AttachPersonal subscribes the connection's owner to the personal stream of its user, after seq pos, as read from the
// database after Open. Events reach Owner.Personal.
func (h *Hub) AttachPersonal(ctx context.Context, c *Conn, user string, pos int64) error {
	panic("draft")
}

// Position is what the caller of Attach has read, membership and last seq in one statement, after Open.
type Position struct {
	Stream string
	Added  int64 // seq at which the user was added
	Last   int64 // the stream's last seq
	After  int64 // deliver what follows this seq: the client's cursor, or Last for a fresh start; at most Last
}

// Outcome says how an Attach ended.
type Outcome uint8

const (
	Subscribed Outcome = iota // everything after Position.After is queued or will be
	Left                      // the user is no longer a member; frames up to the removal were queued if it was known
	MustReset                 // the events asked for cannot be had; read anew, send the client a reset, attach again
)

// Attached is the result of Attach.
type Attached struct {
	Outcome Outcome
	Seq     int64  // Subscribed: the last seq queued so far. Left: the removal, or 0 if unknown. MustReset: the last seq known
	Reason  string // MustReset: one of the Reason constants
}

// Attach is the one way to subscribe a connection to a chat. It queues everything after p.After, paced by the socket,
// and subscribes without a hole or a repetition. The stream must be open (ErrNotOpen). At most one call per connection
// and stream at a time (ErrBusy); a call for a stream already attached changes nothing and answers Subscribed.
// Errors: the context's, ErrClosed (connection or hub), ErrBehind, or the source's.
func (h *Hub) Attach(ctx context.Context, c *Conn, p Position) (Attached, error) { panic("draft") }

// Format is how documents are framed on a connection.
type Format uint8

const (
	WebSocket Format = iota // one unmasked text frame each
	SSE                     // one event block each
)

// NewWire wraps a hijacked connection; buffered is what the HTTP server had already read from it.
// The Wire is closed by Wire.Close, Conn.Close, Conn.CloseNow or the end of Run, whichever comes first.
func (h *Hub) NewWire(nc net.Conn, buffered []byte) *Wire { panic("draft") }

// Wire is the net.Conn to hand to coder/websocket. Write takes only whole control frames.
type Wire struct{}

// ReadWriter answers the small buffers that Hijack must return together with the Wire.
func (w *Wire) ReadWriter() *bufio.ReadWriter      { panic("draft") }
func (w *Wire) Read(p []byte) (int, error)         { panic("draft") }
func (w *Wire) Write(p []byte) (int, error)        { panic("draft") }
func (w *Wire) Close() error                       { panic("draft") }
func (w *Wire) LocalAddr() net.Addr                { panic("draft") }
func (w *Wire) RemoteAddr() net.Addr               { panic("draft") }
func (w *Wire) SetDeadline(t time.Time) error      { panic("draft") }
func (w *Wire) SetReadDeadline(t time.Time) error  { panic("draft") }
func (w *Wire) SetWriteDeadline(t time.Time) error { panic("draft") }

// Register makes a connection of a wire. user may be empty until Identify. owner.Closed is called in every case, also
// when the hub has ended.
func (h *Hub) Register(w *Wire, format Format, user string, owner Owner) *Conn { panic("draft") }

// Conn is one client connection.
type Conn struct{}

// User answers the user, empty before Identify.
func (c *Conn) User() string { panic("draft") }

// Identify sets the user of a connection that was registered without one; once, before any Attach.
func (c *Conn) Identify(user string) { panic("draft") }

// Send queues one document. It never blocks; past Config.QueueBytes the connection is closed with 4002. data is not
// kept. The error is ErrClosed.
func (c *Conn) Send(op string, data []byte) error { panic("draft") }

// SendPaced waits until the queue has drained to Config.LowMark, then queues one document outside the limit.
func (c *Conn) SendPaced(ctx context.Context, op string, data []byte) error { panic("draft") }

// SendEphemeral sends one document if nothing is queued, and drops it otherwise.
func (c *Conn) SendEphemeral(op string, data []byte) { panic("draft") }

// SendRaw queues whole blocks as they are: the response head, ids and comments of SSE. Counted like Send.
func (c *Conn) SendRaw(block []byte) error { panic("draft") }

// Cursors answers, per attached chat stream, a seq up to which everything has been queued to this connection: whatever
// is sent after the call comes after those events.
func (c *Conn) Cursors() map[string]int64 { panic("draft") }

// Alive notes that the peer was heard: a pong or any frame.
func (c *Conn) Alive() { panic("draft") }

// Pong answers a ping. Under backlog only the latest is kept.
func (c *Conn) Pong(payload []byte) { panic("draft") }

// Close ends the subscriptions and queues a close frame after what is queued (SSE: the end of the stream), waits in the
// background at most Config.CloseTimeout for the socket and the peer, then closes the socket. Idempotent; never blocks.
func (c *Conn) Close(code uint16, reason string) { panic("draft") }

// CloseNow closes the socket at once. Idempotent.
func (c *Conn) CloseNow() { panic("draft") }

// Stats are counters since the start and gauges as of now.
type Stats struct {
	Connections, Streams, Subscriptions         int64
	QueuedBytes, RingBytes                      int64
	Deliveries, Events, Batches                 int64 // frames × connections; events in order; pump rounds
	EphemeralDrops, SlowCloses, HeartbeatCloses int64
	Repairs, RepairErrors, Resets, Discarded    int64
	RingLoads, PageReads, PositionErrors        int64
}
