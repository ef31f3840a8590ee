package hub

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// truth is the database of these tests: a Source over logs in memory. Text is kept apart from the events, so that a
// read shows it as it is now.
type truth struct {
	mu      sync.Mutex
	epoch   string
	streams map[string]*truthLog
	reads   int // of Events and EventsFor
	checks  [][]string
	fail    error
}

type truthLog struct {
	events  []Event
	trimmed int64 // events up to it are gone
	text    map[int64]string
	members map[string]int64 // user → added seq
}

func newTruth() *truth { return &truth{epoch: "e1", streams: map[string]*truthLog{}} }

func (d *truth) log(stream string) *truthLog {
	l := d.streams[stream]
	if l == nil {
		l = &truthLog{text: map[int64]string{}, members: map[string]int64{}}
		d.streams[stream] = l
	}
	return l
}

// commit appends an event and answers it as a node would publish it.
func (d *truth) commit(stream string, e Event) Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.log(stream)
	e.Stream, e.Seq = stream, int64(len(l.events)+1)
	if e.Op == "" {
		e.Op = "op"
	}
	switch e.Op {
	case "member.added":
		l.members[e.Subject] = e.Seq
	case "member.removed":
		e.Kind = Removed
		delete(l.members, e.Subject)
	case "message.created":
		e.Kind, e.Target = Content, e.Seq
		l.text[e.Seq] = string(e.Data)
	case "message.edited":
		e.Kind = Content | Rewrite
		l.text[e.Target] = string(e.Data)
	case "message.deleted":
		e.Kind = Rewrite
		l.text[e.Target] = ""
	}
	l.events = append(l.events, e)
	return l.show(e)
}

// document is the JSON of these tests' events.
type document struct {
	Stream string `json:"stream"`
	Seq    int64  `json:"seq"`
	Text   string `json:"text"`
}

func (l *truthLog) show(e Event) Event {
	text := ""
	if e.Kind.Has(Content) {
		text = l.text[e.Target]
	}
	e.Data, _ = json.Marshal(document{e.Stream, e.Seq, text})
	return e
}

func (d *truth) position(stream string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(len(d.log(stream).events))
}

// membership is the statement that a caller of Attach runs.
func (d *truth) membership(stream, user string) (p Position, member bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	added, member := d.log(stream).members[user]
	last := int64(len(d.log(stream).events))
	return Position{Stream: stream, Added: added, Last: last, After: last}, member
}

func (d *truth) Positions(ctx context.Context, ids []string) (string, map[string]int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.checks = append(d.checks, slices.Clone(ids))
	last := map[string]int64{}
	for _, id := range ids {
		if l := d.streams[id]; l != nil {
			last[id] = int64(len(l.events))
		}
	}
	return d.epoch, last, errors.Join(d.fail, ctx.Err())
}

func (d *truth) Events(ctx context.Context, stream string, after int64, limit int) ([]Event, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	return d.read(stream, after, limit), errors.Join(d.fail, ctx.Err())
}

func (d *truth) read(stream string, after int64, limit int) (events []Event) {
	l := d.log(stream)
	for _, e := range l.events {
		if e.Seq > max(after, l.trimmed) && len(events) < limit {
			events = append(events, l.show(e))
		}
	}
	return events
}

func (d *truth) EventsFor(ctx context.Context, user, stream string, after int64, limit int) (Page, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	l := d.log(stream)
	added, member := l.members[user]
	if !member {
		return Page{}, errors.Join(d.fail, ctx.Err())
	}
	return Page{Member: true, AddedSeq: added, LastSeq: int64(len(l.events)), Trimmed: after < l.trimmed,
		Events: d.read(stream, after, limit)}, errors.Join(d.fail, ctx.Err())
}

func (d *truth) readCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reads
}

// medium is the bus of these tests: subscriptions take effect with Flush, as over a network.
type medium struct {
	mu        sync.Mutex
	hub       *Hub
	asked     map[string]bool
	inForce   map[string]bool
	published int
	story     []string // the calls of Subscribe and Flush
	refuse    error
	noFlush   error
}

func newMedium() *medium { return &medium{asked: map[string]bool{}, inForce: map[string]bool{}} }

func (b *medium) Subscribe(ids ...string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return b.refuse
	}
	b.story = append(b.story, fmt.Sprint("subscribe ", len(ids)))
	for _, id := range ids {
		b.asked[id] = true
	}
	return nil
}

func (b *medium) Unsubscribe(ids ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		delete(b.asked, id)
		delete(b.inForce, id)
	}
}

func (b *medium) Flush(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.noFlush != nil {
		return b.noFlush
	}
	b.story = append(b.story, "flush")
	for id := range b.asked {
		b.inForce[id] = true
	}
	return nil
}

func (b *medium) Publish(string, []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.published++
}

func (b *medium) has(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked[id]
}

// from delivers an event that another node has published, if this node is subscribed.
func (b *medium) from(t testing.TB, e Event) {
	t.Helper()
	b.mu.Lock()
	in := b.inForce[e.Stream]
	b.mu.Unlock()
	data, err := e.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	if in {
		if err := b.hub.Receive(data); err != nil {
			t.Fatal(err)
		}
	}
}

// node is a running hub with its surroundings.
type node struct {
	t   testing.TB
	hub *Hub
	db  *truth
	bus *medium
}

// start runs a hub until the test ends, and fails the test if Run does not return. wrap nil: the source is the truth
// itself.
func start(t testing.TB, cfg Config, wrap func(*truth) Source) *node {
	if cfg.PingEvery == 0 {
		cfg.PingEvery = 24 * time.Hour // nobody answers
	}
	db := newTruth()
	var src Source = db
	if wrap != nil {
		src = wrap(db)
	}
	return run(t, cfg, db, src, newMedium())
}

func run(t testing.TB, cfg Config, db *truth, src Source, bus *medium) *node {
	n := &node{t: t, db: db, bus: bus}
	n.hub = New(cfg, src, bus, quiet())
	bus.hub = n.hub
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- n.hub.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("Run does not return")
		}
		s := n.hub.Stats()
		if s.Connections != 0 || s.Subscriptions != 0 || s.QueuedBytes != 0 {
			t.Errorf("left over: %d connections, %d subscriptions, %d queued bytes", s.Connections, s.Subscriptions, s.QueuedBytes)
		}
	})
	return n
}

// member commits that users were added.
func (n *node) member(stream string, users ...string) {
	for _, u := range users {
		n.publish(n.db.commit(stream, Event{Op: "member.added", Subject: u}))
	}
}

func (n *node) publish(e Event) {
	n.t.Helper()
	if err := n.hub.Publish(e); err != nil {
		n.t.Fatal(err)
	}
}

// say commits and publishes a message.
func (n *node) say(stream, text string) Event {
	n.t.Helper()
	e := n.db.commit(stream, Event{Op: "message.created", Data: []byte(text)})
	n.publish(e)
	return e
}

func (n *node) open(streams ...string) func() {
	n.t.Helper()
	release, err := n.hub.Open(context.Background(), streams...)
	if err != nil {
		n.t.Fatal(err)
	}
	return release
}

// client is a connection whose socket is a sink.
type client struct {
	n    *node
	conn *Conn
	wire *Wire
	sink *sink
	*owner
}

func (n *node) client(user string, f Format) *client {
	s := newSink()
	c := &client{n: n, sink: s, wire: n.hub.NewWire(s, nil), owner: &owner{}}
	c.conn = n.hub.Register(c.wire, f, user, c.owner)
	return c
}

// attach does what a server does: open, read, attach, release. after below 0 means a fresh start.
func (c *client) attach(stream string, after int64) Attached {
	c.n.t.Helper()
	defer c.n.open(stream)()
	p, member := c.n.db.membership(stream, c.conn.User())
	if !member {
		c.n.t.Fatalf("%s is not a member of %s", c.conn.User(), stream)
	}
	if after >= 0 {
		p.After = after
	}
	got, err := c.n.hub.Attach(context.Background(), c.conn, p)
	if err != nil {
		c.n.t.Fatalf("attach: %v", err)
	}
	return got
}

// documents answers what was written so far; every frame must be whole.
func (c *client) documents() (docs []document) {
	c.n.t.Helper()
	for _, text := range c.texts() {
		var d document
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			c.n.t.Fatalf("frame %q: %v", text, err)
		}
		docs = append(docs, d)
	}
	return docs
}

func (c *client) texts() (texts []string) {
	c.n.t.Helper()
	if c.conn.format == SSE {
		events, err := parseSSE(c.sink.written())
		if err != nil {
			c.n.t.Fatal(err)
		}
		for _, e := range events {
			texts = append(texts, e.data)
		}
		return texts
	}
	for _, f := range c.frames() {
		if f.op == 1 {
			texts = append(texts, string(f.payload))
		}
	}
	return texts
}

func (c *client) frames() (frames []frame) {
	c.n.t.Helper()
	r := strings.NewReader(c.sink.written())
	for {
		f, err := readFrame(r)
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			c.n.t.Fatalf("after %d frames: %v", len(frames), err)
		}
		frames = append(frames, f)
	}
}

// seqs answers the seqs of a stream's frames, in the order written.
func (c *client) seqs(stream string) (seqs []int64) {
	c.n.t.Helper()
	for _, d := range c.documents() {
		if d.Stream == stream {
			seqs = append(seqs, d.Seq)
		}
	}
	return seqs
}

func (c *client) wantSeqs(stream string, want ...int64) {
	c.n.t.Helper()
	if got := c.seqs(stream); !slices.Equal(got, want) {
		c.n.t.Errorf("%s got %v of %s, want %v", c.conn.User(), got, stream, want)
	}
}

// closeCode answers the code of the last frame if it is a close frame, else 0.
func closeCode(frames []frame) int {
	if len(frames) == 0 || frames[len(frames)-1].op != 8 || len(frames[len(frames)-1].payload) < 2 {
		return 0
	}
	return int(binary.BigEndian.Uint16(frames[len(frames)-1].payload))
}

// owner notes its calls as words.
type owner struct {
	mu    sync.Mutex
	calls []string
	err   error
	hook  func(call string) // called without the lock
}

func (o *owner) note(format string, args ...any) {
	call := fmt.Sprintf(format, args...)
	o.mu.Lock()
	o.calls = append(o.calls, call)
	hook := o.hook
	o.mu.Unlock()
	if hook != nil {
		hook(call)
	}
}

// onCall sets what is called after each call was noted.
func (o *owner) onCall(hook func(call string)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hook = hook
}

func (o *owner) Personal(e Event)                    { o.note("personal %d", e.Seq) }
func (o *owner) Detached(stream string, seq int64)   { o.note("detached %s %d", stream, seq) }
func (o *owner) Reset(s string, seq int64, r string) { o.note("reset %s %d %s", s, seq, r) }

func (o *owner) Closed(err error) {
	o.mu.Lock()
	o.err = err
	o.mu.Unlock()
	o.note("closed")
}

func (o *owner) wantCalls(t testing.TB, want ...string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.calls, want) {
		t.Errorf("owner was called %q, want %q", o.calls, want)
	}
}

func (o *owner) wantClosed(t testing.TB, want error) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := len(o.calls); n == 0 || o.calls[n-1] != "closed" {
		t.Errorf("owner was called %q, want closed at the end", o.calls[max(0, n-3):])
	}
	if !errors.Is(o.err, want) {
		t.Errorf("closed with %v, want %v", o.err, want)
	}
}

// sink is a socket in memory that takes everything at once, or nothing while stuck.
type sink struct {
	mu       sync.Mutex
	changed  *sync.Cond
	out      bytes.Buffer
	stuck    bool
	closed   bool
	ended    bool // CloseWrite was called
	peerDone bool // the peer has ended its side
	readBy   time.Time
	writeBy  time.Time
}

func newSink() *sink {
	s := &sink{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.stuck && !s.closed && !past(s.writeBy) {
		s.changed.Wait()
	}
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.stuck:
		return 0, os.ErrDeadlineExceeded
	case s.ended:
		return 0, errors.New("write after the end")
	}
	return s.out.Write(p)
}

func (s *sink) Read([]byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && !s.peerDone && !past(s.readBy) {
		s.changed.Wait()
	}
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.peerDone:
		return 0, io.EOF
	}
	return 0, os.ErrDeadlineExceeded
}

func past(t time.Time) bool { return !t.IsZero() && !t.After(time.Now()) }

// set changes a field and wakes everybody, now and at a deadline.
func (s *sink) set(change func(), deadline time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.changed.Broadcast()
	if d := time.Until(deadline); !deadline.IsZero() && d > 0 {
		time.AfterFunc(d, s.changed.Broadcast)
	}
	return nil
}

func (s *sink) Close() error                       { return s.set(func() { s.closed = true }, time.Time{}) }
func (s *sink) CloseWrite() error                  { return s.set(func() { s.ended = true }, time.Time{}) }
func (s *sink) SetReadDeadline(t time.Time) error  { return s.set(func() { s.readBy = t }, t) }
func (s *sink) SetWriteDeadline(t time.Time) error { return s.set(func() { s.writeBy = t }, t) }
func (s *sink) stick(on bool)                      { _ = s.set(func() { s.stuck = on }, time.Time{}) }
func (s *sink) hangUp()                            { _ = s.set(func() { s.peerDone = true }, time.Time{}) }
func (s *sink) SetDeadline(time.Time) error        { return nil }
func (s *sink) LocalAddr() net.Addr                { return &net.TCPAddr{} }
func (s *sink) RemoteAddr() net.Addr               { return &net.TCPAddr{} }

func (s *sink) written() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

func (s *sink) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
