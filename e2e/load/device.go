package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"fechatter/e2e/check"

	"github.com/coder/websocket"
	"github.com/google/uuid"
)

const (
	dialTimeout = 5 * time.Second
	// callTimeout is how long a command waits before its device gives the
	// connection up, and repeats the command on another.
	callTimeout = 4 * time.Second
	// silence is how long a device bears nothing from the server; it pings four
	// times as often.
	silence = 4 * time.Second
)

// device is one client of a person: it is connected to some node, or comes back.
type device struct {
	*person
	label   string
	urls    []string
	record  *recorder
	rng     *rand.Rand // run's own
	patient bool       // bears any silence
	sse     bool       // listens to a stream; its person sends by REST

	resumeAt string // the newest token of a stream; run's own

	mu      sync.Mutex
	cursors map[string]int64
	epoch   string
	live    bool // ready was said
	ws      *websocket.Conn
	noted   *check.Connection
	heard   time.Time
	pending map[string]chan reply
}

type reply struct {
	data    []byte
	refused bool
}

func newDevice(p *person, label string, urls []string, r *recorder, seed *rand.Rand) *device {
	return &device{person: p, label: label, urls: urls, record: r, rng: rand.New(rand.NewPCG(seed.Uint64(), 0)),
		cursors: map[string]int64{}, pending: map[string]chan reply{}}
}

// run is connected until ctx ends.
func (d *device) run(ctx context.Context) {
	for ctx.Err() == nil {
		url := d.urls[d.rng.IntN(len(d.urls))]
		connection := d.connection
		if d.sse {
			connection = d.stream
		}
		if err := connection(ctx, url); err != nil && ctx.Err() == nil {
			d.record.fault("%s: %v", d.label, err)
		}
		pause(ctx, time.Duration(d.rng.IntN(200))*time.Millisecond)
	}
}

// connection is one connection from the dial to the end. That it ends is no
// error, but for what a client must never see.
func (d *device) connection(ctx context.Context, url string) error {
	dialing, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	ws, _, err := websocket.Dial(dialing, //nolint:bodyclose // Dial closes it
		strings.Replace(url, "http", "ws", 1)+"/ws", &websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {"Bearer " + d.token}}, Subprotocols: []string{"fechatter.v1.json"}})
	if err != nil {
		return nil //nolint:nilerr // the node is away: the next try goes elsewhere
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(8 << 20)
	d.enter(ws, url)
	defer d.leave()
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var watch sync.WaitGroup
	watch.Go(func() { d.watch(reading, ws) })
	defer watch.Wait()
	defer stop()
	return d.read(reading, ws)
}

func (d *device) enter(ws *websocket.Conn, url string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ws, d.heard = ws, time.Now()
	d.noted = d.record.connection(check.Connection{Name: d.label + " at " + url, UserID: d.id, Cursors: maps.Clone(d.cursors), Token: d.sse && d.resumeAt != ""})
}

func (d *device) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ws, d.live = nil, false
	for id, waiting := range d.pending {
		close(waiting)
		delete(d.pending, id)
	}
}

func (d *device) read(ctx context.Context, ws *websocket.Conn) error {
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return d.verdict(err)
		}
		var envelope struct {
			Re *string         `json:"re"`
			Op string          `json:"op"`
			D  json.RawMessage `json:"d"`
		}
		if err := json.Unmarshal(data, &envelope); err != nil {
			return fmt.Errorf("the server said %q: %w", data, err)
		}
		if envelope.Re != nil && envelope.Op != "ready" {
			d.answered(*envelope.Re, reply{envelope.D, envelope.Op == "error"})
			continue
		}
		if err := d.take(data); err != nil {
			return err
		}
		if envelope.Op == "hello" {
			if err := d.resume(ctx, ws); err != nil {
				return nil //nolint:nilerr // the connection has ended
			}
		}
	}
}

// verdict says which ends of a connection are the server's fault.
func (d *device) verdict(err error) error {
	switch code := websocket.CloseStatus(err); {
	case code >= 4500, code >= 1007 && code <= 1009, code == 1002:
		return fmt.Errorf("closed with %d: %w", code, err)
	}
	return nil
}

// take notes a frame and moves the cursors.
func (d *device) take(data []byte) error {
	f, err := d.record.frame(data)
	if err != nil {
		return fmt.Errorf("the server said %q: %w", data, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = time.Now()
	d.noted.Frames = append(d.noted.Frames, f)
	switch {
	case f.Op == "ready":
		d.live = true
		d.prune()
		var ready struct{ D struct{ Epoch string } }
		if err := json.Unmarshal(data, &ready); err != nil {
			return fmt.Errorf("the server said %q: %w", data, err)
		}
		d.epoch = ready.D.Epoch
	case f.Op == "chat.left":
		delete(d.cursors, f.ChatID)
	case f.Op == "chats":
		for _, e := range f.Entries {
			if _, held := d.cursors[e.ID]; !held {
				d.cursors[e.ID] = e.LastSeq
			}
		}
	case f.Op == "reset", f.Op == "chat.joined", f.Event != nil:
		d.cursors[f.ChatID] = f.Seq
	}
	return nil
}

// prune forgets the chats that the server no longer named.
func (d *device) prune() {
	named := map[string]bool{}
	for _, f := range d.noted.Frames {
		for _, e := range f.Entries {
			named[e.ID] = true
		}
	}
	for id := range d.cursors {
		if !named[id] {
			delete(d.cursors, id)
		}
	}
}

func (d *device) resume(ctx context.Context, ws *websocket.Conn) error {
	d.mu.Lock()
	said := map[string]any{"cursors": d.noted.Cursors}
	if d.epoch != "" {
		said["epoch"] = d.epoch
	}
	d.mu.Unlock()
	return write(ctx, ws, "resume", "resume", said)
}

// watch pings, and ends a connection on which nothing comes.
func (d *device) watch(ctx context.Context, ws *websocket.Conn) {
	tick := time.NewTicker(silence / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		d.mu.Lock()
		quiet := time.Since(d.heard)
		d.mu.Unlock()
		if quiet > silence && !d.patient {
			_ = ws.CloseNow()
			return
		}
		if write(ctx, ws, "ping", "ping", struct{}{}) != nil && !d.patient {
			_ = ws.CloseNow()
			return
		}
	}
}

func write(ctx context.Context, ws *websocket.Conn, id, op string, d any) error {
	b, err := json.Marshal(map[string]any{"id": id, "op": op, "d": d})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return ws.Write(ctx, websocket.MessageText, b)
}

func (d *device) answered(id string, r reply) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = time.Now()
	if waiting, ok := d.pending[id]; ok {
		delete(d.pending, id)
		waiting <- r
	}
}

// call says a command on the connection that is there. The error is a *refusal
// or wraps errNoAnswer; without an answer in time the connection is given up.
func (d *device) call(ctx context.Context, op string, body any) (answer, error) {
	id, waiting := uuid.NewString(), make(chan reply, 1)
	d.mu.Lock()
	ws := d.ws
	if ws == nil || !d.live { // a stream has no socket
		d.mu.Unlock()
		return answer{}, errNoAnswer
	}
	d.pending[id] = waiting
	d.mu.Unlock()
	if err := write(ctx, ws, id, op, body); err != nil {
		return answer{}, errors.Join(errNoAnswer, err)
	}
	late := time.NewTimer(callTimeout)
	defer late.Stop()
	select {
	case r, ok := <-waiting:
		if !ok {
			return answer{}, errNoAnswer
		}
		return parseAnswer(r.data, r.refused)
	case <-late.C:
		_ = ws.CloseNow()
	case <-ctx.Done():
	}
	return answer{}, errNoAnswer
}

// at tells whether the device is live, and where it stands.
func (d *device) at() (live bool, cursors map[string]int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.live, maps.Clone(d.cursors)
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
