package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// Subprotocol is the one that the contract names.
const Subprotocol = "fechatter.v1.json"

// maxMessage bounds a message of the server, in bytes. It sends no larger one.
const maxMessage = 8 << 20

// ErrNoAnswer reports that it is not known what became of a command: the
// connection ended first, or the caller gave up.
var ErrNoAnswer = errors.New("no answer")

// Frame is anything that the server says.
type Frame struct {
	Re     *string         `json:"re"` // in answers, the id of the command
	Op     string          `json:"op"`
	ChatID string          `json:"chat_id"`
	Seq    int64           `json:"seq"`
	D      json.RawMessage `json:"d"`

	Raw string `json:"-"` // the whole frame, as it was sent
}

// ParseFrame reads a frame.
func ParseFrame(data []byte) (Frame, error) {
	f := Frame{Raw: string(data)}
	if err := json.Unmarshal(data, &f); err != nil {
		return f, fmt.Errorf("the server said %.1000q: %w", data, err)
	}
	return f, nil
}

// Conn is a WebSocket connection. Read is for one goroutine at a time; the other
// methods may be called concurrently. Whoever dialled it closes it.
type Conn struct {
	ws *websocket.Conn

	mu      sync.Mutex
	waiting map[string]chan Frame // by id of the command; nil after the end
}

// DialOptions are the choices of a dial.
type DialOptions struct {
	Header http.Header // sent beside the token
	Plain  bool        // offer no subprotocol
	OnPing func()      // called at every ping of the server, by the goroutine that reads
}

// Dial connects. The server then says hello, or waits for the command auth if the
// client has no token. The error holds a *Problem if the server refuses.
func (c Client) Dial(ctx context.Context, o DialOptions) (*Conn, error) {
	header := o.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if c.Token != "" {
		header.Set("Authorization", "Bearer "+c.Token)
	}
	dial := &websocket.DialOptions{HTTPHeader: header, HTTPClient: c.HTTP, Subprotocols: []string{Subprotocol}}
	if o.Plain {
		dial.Subprotocols = nil
	}
	if o.OnPing != nil {
		dial.OnPingReceived = func(context.Context, []byte) bool {
			o.OnPing()
			return true
		}
	}
	ws, res, err := websocket.Dial(ctx, strings.Replace(c.URL, "http", "ws", 1)+"/ws", dial) //nolint:bodyclose // Dial says: never close it yourself
	if err != nil {
		return nil, errors.Join(err, refusal(res))
	}
	ws.SetReadLimit(maxMessage)
	return &Conn{ws: ws, waiting: map[string]chan Frame{}}, nil
}

// refusal returns the *Problem that answers a handshake, or nil if it was not answered, or
// not by a problem.
func refusal(res *http.Response) error {
	if res == nil || res.StatusCode < http.StatusBadRequest {
		return nil
	}
	p := &Problem{Status: res.StatusCode, Code: res.Status}
	_ = json.NewDecoder(res.Body).Decode(p) // what is none, such as a proxy's page, has its status
	return p
}

// Read returns the next frame that no Call waits for, in the order in which the
// server sent them. An error ends the connection; CloseCode says why.
func (c *Conn) Read(ctx context.Context) (Frame, error) {
	for {
		_, data, err := c.ws.Read(ctx)
		if err != nil {
			c.end()
			return Frame{}, err
		}
		f, err := ParseFrame(data)
		if err != nil || f.Re == nil || !c.answer(f) {
			return f, err
		}
	}
}

// answer hands a frame to the Call that waits for it, if one does.
func (c *Conn) answer(f Frame) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	waits, ok := c.waiting[*f.Re]
	if ok {
		delete(c.waiting, *f.Re)
		waits <- f
	}
	return ok
}

// end tells every Call that no answer will come.
func (c *Conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, waits := range c.waiting {
		close(waits)
	}
	c.waiting = nil
}

// Write sends a command without waiting for its answer, which Read returns.
func (c *Conn) Write(ctx context.Context, id, op string, d any) error {
	data, err := json.Marshal(map[string]any{"id": id, "op": op, "d": d})
	if err != nil {
		return fmt.Errorf("write %s: %w", op, err)
	}
	return c.ws.Write(ctx, websocket.MessageText, data)
}

// Call sends a command and returns its answer, while another goroutine reads. The
// error is a *Problem if the server refuses; any other error wraps ErrNoAnswer.
func (c *Conn) Call(ctx context.Context, op string, d any) (Frame, error) {
	id, waits := NewKey(), make(chan Frame, 1)
	c.mu.Lock()
	ended := c.waiting == nil
	if !ended {
		c.waiting[id] = waits
	}
	c.mu.Unlock()
	if ended {
		return Frame{}, ErrNoAnswer
	}
	defer c.forget(id)
	if err := c.Write(ctx, id, op, d); err != nil {
		return Frame{}, errors.Join(ErrNoAnswer, err)
	}
	select {
	case f, ok := <-waits:
		if !ok {
			return Frame{}, ErrNoAnswer
		}
		return f, f.Err()
	case <-ctx.Done():
		return Frame{}, errors.Join(ErrNoAnswer, ctx.Err())
	}
}

func (c *Conn) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

// Err returns the *Problem that an answer carries, or nil.
func (f Frame) Err() error {
	if f.Op != "error" {
		return nil
	}
	p := &Problem{}
	if err := json.Unmarshal(f.D, p); err != nil {
		return fmt.Errorf("read problem: %w", err)
	}
	return p
}

// Resume says where a client stands. The zero value is a fresh start.
type Resume struct {
	Epoch   string           `json:"epoch,omitempty"`
	Cursors map[string]int64 `json:"cursors,omitempty"` // by chat, the last seq that the client holds
	Token   string           `json:"token,omitempty"`   // of an event stream, instead of cursors
}

// Resume resumes and reads until the server is ready, giving each frame to seen,
// hello and ready included.
func (c *Conn) Resume(ctx context.Context, r Resume, seen func(Frame)) error {
	if err := c.Write(ctx, "resume", "resume", r); err != nil {
		return err
	}
	for {
		f, err := c.Read(ctx)
		if err != nil {
			return err
		}
		seen(f)
		switch {
		case f.Op == "ready":
			return nil
		case f.Re != nil && *f.Re == "resume":
			return fmt.Errorf("resume: %w", f.Err())
		}
	}
}

// CloseNow ends the connection without a farewell.
func (c *Conn) CloseNow() error { return c.ws.CloseNow() }

// WebSocket is the connection beneath, for what the contract does not know.
func (c *Conn) WebSocket() *websocket.Conn { return c.ws }

// CloseCode is the code with which the server closed, -1 if it said none.
func CloseCode(err error) int { return int(websocket.CloseStatus(err)) }
