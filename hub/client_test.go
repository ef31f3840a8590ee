package hub

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
)

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

// follower returns a client by WebSocket that is attached to c from now on.
func (n *node) follower(user string) *client {
	n.t.Helper()
	c := n.client(user, WebSocket)
	c.attach("c", -1)
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
		c.n.t.Fatalf("Attach: %v", err)
	}
	return got
}

// documents returns what was written so far; every frame must be whole.
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

// seqs returns the seqs of a stream's frames, in the order written.
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

// closeCode returns the code of the last frame if it is a close frame, else 0.
func closeCode(frames []frame) int {
	if len(frames) == 0 || frames[len(frames)-1].op != 8 || len(frames[len(frames)-1].payload) < 2 {
		return 0
	}
	return int(binary.BigEndian.Uint16(frames[len(frames)-1].payload))
}

// owner records its calls as words.
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

// onCall sets what is called after each recorded call.
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

// wantReset fails unless the owner's only call was a reset for the given reason.
func (o *owner) wantReset(t testing.TB, reason string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.calls) != 1 || !strings.HasPrefix(o.calls[0], "reset ") || !strings.HasSuffix(o.calls[0], " "+reason) {
		t.Errorf("owner was called %q, want one reset: %s", o.calls, reason)
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
