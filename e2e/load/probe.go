package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"fechatter/e2e/check"

	"github.com/coder/websocket"
	"github.com/google/uuid"
)

const (
	probeEvery = 250 * time.Millisecond
	// probeLimit is how soon a message must be back, or an answer there.
	probeLimit = time.Second
)

// Target is a node to be probed. URL gives where it is now, "" for nowhere; it may
// be called concurrently.
type Target struct {
	Name string
	URL  func() string
}

// probe is one user of one node, who sends to themselves.
type probe struct {
	*person
	target Target
	load   *Load
	chat   string

	mu    sync.Mutex
	looks []check.Look
}

// Probe looks at each node from outside until Close: it sends a message and waits
// for it to come back, and beside that asks whether the node is ready. The nodes
// must be ready. Connect comes before.
func (l *Load) Probe(ctx context.Context, targets []Target) error {
	for _, t := range targets {
		p, err := signUp(ctx, l.http, t.URL(), l.cfg.Prefix+"probe."+t.Name)
		if err != nil {
			return err
		}
		data, err := p.rest(ctx, http.MethodPost, t.URL()+"/api/v1/chats", map[string]any{"kind": "group"})
		if err != nil {
			return fmt.Errorf("make chat: %w", err)
		}
		var c struct{ ID string }
		if err := json.Unmarshal(data, &c); err != nil {
			return fmt.Errorf("make chat: %w", err)
		}
		one := &probe{person: p, target: t, load: l, chat: c.ID}
		l.probes = append(l.probes, one)
		l.connected.Go(func() { one.repeat(l.settling, check.Told, one.told) })
		l.connected.Go(func() { one.ask(l.settling) })
	}
	return nil
}

// repeat looks again and again until ctx ends.
func (p *probe) repeat(ctx context.Context, kind check.LookKind, look func(context.Context) (ok, draining bool)) {
	for ctx.Err() == nil {
		limited, cancel := context.WithTimeout(ctx, probeLimit)
		l := check.Look{Kind: kind, Begun: p.load.record.now()}
		l.OK, l.Draining = look(limited)
		cancel()
		l.End = p.load.record.now()
		if ctx.Err() != nil {
			return // the end of the run is no outcome
		}
		p.mu.Lock()
		p.looks = append(p.looks, l)
		p.mu.Unlock()
		pause(ctx, probeEvery)
	}
}

// told asks the node.
func (p *probe) told(ctx context.Context) (ready, draining bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.target.URL()+"/readyz?verbose", nil)
	if err != nil {
		return false, false
	}
	res, err := p.http.Do(req)
	if err != nil {
		return false, false
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return err == nil && res.StatusCode == http.StatusOK, strings.Contains(string(body), "node:state")
}

// ask keeps one connection for as long as it does its work.
func (p *probe) ask(ctx context.Context) {
	var ws *websocket.Conn
	p.repeat(ctx, check.Asked, func(ctx context.Context) (ok, _ bool) {
		err := error(nil)
		if ws == nil {
			ws, err = p.dial(ctx)
		}
		if err == nil {
			err = p.comesBack(ctx, ws)
		}
		if err != nil && ws != nil {
			_ = ws.CloseNow()
			ws = nil
		}
		return err == nil, false
	})
	if ws != nil {
		_ = ws.CloseNow()
	}
}

func (p *probe) dial(ctx context.Context) (*websocket.Conn, error) {
	url := p.target.URL()
	if url == "" {
		return nil, errNoAnswer
	}
	ws, _, err := websocket.Dial(ctx, //nolint:bodyclose // Dial closes it
		strings.Replace(url, "http", "ws", 1)+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + p.token}}})
	if err != nil {
		return nil, err
	}
	if err := write(ctx, ws, "resume", "resume", map[string]any{}); err != nil {
		return ws, err
	}
	return ws, p.await(ctx, ws, func(f probeFrame) bool { return f.Op == "ready" })
}

type probeFrame struct {
	Re string `json:"re"`
	Op string `json:"op"`
	D  struct {
		Key string `json:"key"`
	} `json:"d"`
}

// comesBack sends a message and waits for its ack and for itself.
func (p *probe) comesBack(ctx context.Context, ws *websocket.Conn) error {
	key, acked, back := uuid.NewString(), false, false
	if err := write(ctx, ws, key, "message.send", map[string]any{"chat_id": p.chat, "key": key, "body": "probe"}); err != nil {
		return err
	}
	return p.await(ctx, ws, func(f probeFrame) bool {
		acked = acked || f.Re == key && f.Op == "ok"
		back = back || f.Op == "message.created" && f.D.Key == key
		return acked && back
	})
}

func (p *probe) await(ctx context.Context, ws *websocket.Conn, done func(probeFrame) bool) error {
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return err
		}
		var f probeFrame
		if err := json.Unmarshal(data, &f); err != nil {
			return err
		}
		if f.Op == "error" {
			return errors.New("refused")
		}
		if done(f) {
			return nil
		}
	}
}

// seen gives what was looked at. Nobody looks any more.
func (p *probe) seen() check.Probe { return check.Probe{Node: p.target.Name, Looks: p.looks} }
