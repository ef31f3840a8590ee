package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

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

type reply struct {
	data    []byte
	refused bool
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
		if quiet > silence {
			_ = ws.CloseNow()
			return
		}
		if write(ctx, ws, "ping", "ping", struct{}{}) != nil {
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
