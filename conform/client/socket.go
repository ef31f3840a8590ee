package client

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"

	"fechatter/client"
)

// Subprotocol is the one that the contract names.
const Subprotocol = client.Subprotocol

// Frame is anything that the server says.
type Frame struct{ client.Frame }

// Field returns what stands at a path in d, nil if nothing does.
func (f Frame) Field(t T, path ...string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(f.D, &v); err != nil {
		t.Fatalf("read %s: %v", f.Raw, err)
	}
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("no %v in %s", path, f.Raw)
		}
		v = m[p]
	}
	return v
}

// Socket is a WebSocket client that keeps every frame.
type Socket struct {
	t      T
	WS     *client.Conn
	frames chan Frame
	Seen   []Frame // received from frames, in order
	next   int
	closed chan error
	gone   chan struct{} // closed when the test has ended
	pinged chan struct{}
}

// Dial connects and waits for hello.
func (p *Person) Dial() *Socket {
	p.t.Helper()
	return p.greeted(p.client(), roomy)
}

// DialSlow is Dial for a client that reads from its socket only what the test asks
// for.
func (p *Person) DialSlow() *Socket {
	p.t.Helper()
	c := p.client()
	narrow := &http.Transport{DialContext: dialNarrow}
	if usual, ok := c.HTTP.Transport.(*http.Transport); ok && usual.TLSClientConfig != nil {
		narrow.TLSClientConfig = usual.TLSClientConfig.Clone()
	}
	c.HTTP = &http.Client{Transport: narrow}
	return p.greeted(c, 0)
}

// dialNarrow connects with a small buffer: of its own accord the kernel takes in more megabytes
// for a client that reads nothing than the server holds for it.
func dialNarrow(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = errors.Join(err, tcp.SetReadBuffer(64<<10))
	}
	return conn, err
}

func (p *Person) greeted(c client.Client, room int) *Socket {
	p.t.Helper()
	s := dial(p.t, c, client.DialOptions{}, room)
	s.Want("hello")
	return s
}

// Connect dials and resumes with what resume holds.
func (p *Person) Connect(resume map[string]any) *Socket {
	p.t.Helper()
	s := p.Dial()
	s.Say("r", "resume", resume)
	return s
}

// Fresh connects without cursors and waits until it is live.
func (p *Person) Fresh() *Socket {
	p.t.Helper()
	s := p.Connect(map[string]any{})
	s.Want("ready")
	return s
}

// roomy is room for all that a test is sent.
const roomy = 20000

// Dial opens a socket with the headers of the caller's choice.
func Dial(t T, url string, header http.Header) *Socket {
	t.Helper()
	return dial(t, client.Client{URL: url, HTTP: httpOf(t)}, client.DialOptions{Header: header}, roomy)
}

// DialPlain is Dial for a client that offers no subprotocol.
func DialPlain(t T, url string, header http.Header) *Socket {
	t.Helper()
	return dial(t, client.Client{URL: url, HTTP: httpOf(t)}, client.DialOptions{Header: header, Plain: true}, roomy)
}

func dial(t T, c client.Client, o client.DialOptions, room int) *Socket {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patienceOf(t))
	defer cancel()
	s := &Socket{t: t, frames: make(chan Frame, room), gone: make(chan struct{}), closed: make(chan error, 1), pinged: make(chan struct{}, 1)}
	o.OnPing = s.ping
	var err error
	if s.WS, err = c.Dial(ctx, o); err != nil {
		t.Fatalf("dial: %v", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.read(t)
	}()
	t.Cleanup(func() {
		close(s.gone)
		_ = s.WS.CloseNow()
		<-done
	})
	return s
}

func (s *Socket) read(t T) {
	defer close(s.frames)
	for {
		f, err := s.WS.Read(context.Background())
		if err != nil {
			if f.Raw != "" {
				t.Errorf("%v", err)
			}
			s.closed <- err
			return
		}
		select {
		case s.frames <- Frame{f}:
		case <-s.gone:
			return
		}
	}
}

// ping notes a ping of the server.
func (s *Socket) ping() {
	select {
	case s.pinged <- struct{}{}:
	default:
	}
}

// Pinged yields a value when the server has pinged since the last one.
func (s *Socket) Pinged() <-chan struct{} { return s.pinged }
