package load

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"fechatter/client"
	"fechatter/e2e/check"
)

const (
	probeEvery = 250 * time.Millisecond
	// probeLimit is how soon a message must be back, or an answer there. A busy
	// machine needs a second or two; what is longer is a fault.
	probeLimit = 4 * time.Second
)

// Target is a node to probe. URL returns where it is now, "" for nowhere; it may be
// called concurrently.
type Target struct {
	Name string
	URL  func() string
}

// probe is a user of one node who sends messages to themselves.
type probe struct {
	*person
	target Target
	load   *Load
	chat   string

	mu    sync.Mutex
	looks []check.Look
}

// Probe looks at each node from outside until Close: it sends messages and waits for
// them to come back, and meanwhile asks whether the node is ready. The nodes must be
// ready. Connect comes first.
func (l *Load) Probe(ctx context.Context, targets []Target) error {
	for _, t := range targets {
		p, err := signUp(ctx, l, t.URL(), l.cfg.Prefix+"probe."+t.Name)
		if err != nil {
			return err
		}
		chat, err := p.makeChat(ctx, t.URL(), []string{})
		if err != nil {
			return err
		}
		one := &probe{person: p, target: t, load: l, chat: chat}
		l.probes = append(l.probes, one)
		l.connected.Go(func() { one.repeat(l.finishing, check.LookReady, one.ready) })
		l.connected.Go(func() { one.send(l.finishing) })
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

// ready asks the node whether it is ready.
func (p *probe) ready(ctx context.Context) (ready, draining bool) {
	a, err := p.at(p.target.URL()).Fetch(ctx, http.MethodGet, "/health", nil, nil)
	return err == nil && a.Status == http.StatusOK, strings.Contains(string(a.Body), "node:state")
}

// send keeps one connection for as long as messages come back on it.
func (p *probe) send(ctx context.Context) {
	var conn *client.Conn
	p.repeat(ctx, check.LookSend, func(ctx context.Context) (ok, _ bool) {
		var err error
		if conn == nil {
			conn, err = p.dial(ctx)
		}
		if err == nil {
			err = p.comesBack(ctx, conn)
		}
		if err != nil && conn != nil {
			_ = conn.CloseNow()
			conn = nil
		}
		return err == nil, false
	})
	if conn != nil {
		_ = conn.CloseNow()
	}
}

func (p *probe) dial(ctx context.Context) (*client.Conn, error) {
	conn, err := p.at(p.target.URL()).Dial(ctx, client.DialOptions{})
	if err != nil {
		return nil, err
	}
	return conn, conn.Resume(ctx, client.Resume{}, func(client.Frame) {})
}

// comesBack sends a message and waits for its ack and for itself.
func (p *probe) comesBack(ctx context.Context, conn *client.Conn) error {
	key, acked, back := client.NewKey(), false, false
	if err := conn.Write(ctx, key, "message.send", map[string]any{"chat_id": p.chat, "key": key, "body": "probe"}); err != nil {
		return err
	}
	for !acked || !back {
		f, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		if err := f.Err(); err != nil {
			return err
		}
		var d struct{ Key string }
		if f.Op == "message.created" && json.Unmarshal(f.D, &d) == nil && d.Key == key {
			back = true
		}
		acked = acked || f.Re != nil && *f.Re == key
	}
	return nil
}

// seen returns all looks. It must come after the last.
func (p *probe) seen() check.Probe { return check.Probe{Node: p.target.Name, Looks: p.looks} }
