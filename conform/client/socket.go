package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const patience = 10 * time.Second

// Subprotocol is the one that the contract names.
const Subprotocol = "fechatter.v1.json"

// Socket is a WebSocket client that keeps every frame.
type Socket struct {
	t      T
	WS     *websocket.Conn
	frames chan Frame
	Seen   []Frame // taken from frames, in order
	next   int
	closed chan error
	gone   chan struct{} // the test has ended
	pinged chan struct{}
}

// Dial connects and waits for hello.
func (p *Person) Dial() *Socket {
	p.t.Helper()
	return p.dial(roomy)
}

// DialSlow is Dial for a client that takes nothing from its socket but what the
// test asks for.
func (p *Person) DialSlow() *Socket {
	p.t.Helper()
	return p.dial(0)
}

func (p *Person) dial(room int) *Socket {
	p.t.Helper()
	s := dial(p.t, p.URL, http.Header{"Authorization": {"Bearer " + p.Token}}, room, Subprotocol)
	s.Want("hello")
	return s
}

// Connect dials and resumes; extra goes into the resume.
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
	return dial(t, url, header, roomy, Subprotocol)
}

// DialPlain is Dial for a client that offers no subprotocol.
func DialPlain(t T, url string, header http.Header) *Socket {
	t.Helper()
	return dial(t, url, header, roomy)
}

func dial(t T, url string, header http.Header, room int, subprotocols ...string) *Socket {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s := &Socket{t: t, frames: make(chan Frame, room), gone: make(chan struct{}), closed: make(chan error, 1), pinged: make(chan struct{}, 1)}
	ws, _, err := websocket.Dial(ctx, strings.Replace(url, "http", "ws", 1)+"/ws", //nolint:bodyclose // Dial says: never close it yourself
		&websocket.DialOptions{HTTPHeader: header, Subprotocols: subprotocols, OnPingReceived: s.ping})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	ws.SetReadLimit(8 << 20)
	s.WS = ws
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.read(t)
	}()
	t.Cleanup(func() {
		close(s.gone)
		_ = ws.CloseNow()
		<-done
	})
	return s
}

func (s *Socket) read(t T) {
	defer close(s.frames)
	for {
		_, data, err := s.WS.Read(context.Background())
		if err != nil {
			s.closed <- err
			return
		}
		f := Frame{Raw: string(data)}
		if err := json.Unmarshal(data, &f); err != nil {
			t.Errorf("the server said %q: %v", data, err)
		}
		select {
		case s.frames <- f:
		case <-s.gone:
			return
		}
	}
}

// ping notes a ping of the server, and lets it be answered.
func (s *Socket) ping(context.Context, []byte) bool {
	select {
	case s.pinged <- struct{}{}:
	default:
	}
	return true
}

// Pinged gives a value when the server has pinged since the last one.
func (s *Socket) Pinged() <-chan struct{} { return s.pinged }

// Text sends one raw message.
func (s *Socket) Text(data string) {
	s.t.Helper()
	s.Write(websocket.MessageText, data)
}

// Binary sends one raw message that the contract does not know.
func (s *Socket) Binary(data string) {
	s.t.Helper()
	s.Write(websocket.MessageBinary, data)
}

// Write sends one raw message.
func (s *Socket) Write(kind websocket.MessageType, data string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if err := s.WS.Write(ctx, kind, []byte(data)); err != nil {
		s.t.Fatalf("write: %v", err)
	}
}

func (s *Socket) Say(id, op string, d any) {
	s.t.Helper()
	b, err := json.Marshal(map[string]any{"id": id, "op": op, "d": d})
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	s.Write(websocket.MessageText, string(b))
}

// Until gives the first frame not yet passed over that matches; those before it
// stay in seen.
func (s *Socket) Until(what string, match func(Frame) bool) Frame {
	s.t.Helper()
	f, ok := s.Within(patience, match)
	if !ok {
		s.t.Fatalf("no %s; seen %s", what, s.Story())
	}
	return f
}

// Within is Until for what may not come: ok is false when nothing that matches
// came in time.
func (s *Socket) Within(limit time.Duration, match func(Frame) bool) (f Frame, ok bool) {
	s.t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		for s.next < len(s.Seen) {
			f := s.Seen[s.next]
			s.next++
			if match(f) {
				return f, true
			}
		}
		select {
		case f, open := <-s.frames:
			if !open {
				s.t.Fatalf("closed (%v); seen %s", <-s.closed, s.Story())
			}
			s.Seen = append(s.Seen, f)
		case <-s.t.Context().Done():
			return Frame{}, false
		case <-deadline.C:
			return Frame{}, false
		}
	}
}

func (s *Socket) Want(op string) Frame {
	s.t.Helper()
	return s.Until(op, func(f Frame) bool { return f.Op == op })
}

// Call says a command and gives its answer; events on the way can be asked for after.
func (s *Socket) Call(op string, d any) Frame {
	s.t.Helper()
	id := NewKey()
	s.Say(id, op, d)
	from := s.next
	f := s.Until("the answer of "+op, func(f Frame) bool { return f.Re != nil && *f.Re == id })
	s.next = from
	return f
}

// Ask is Call, again for as long as the answer is to wait and come back.
func (s *Socket) Ask(op string, d any) Frame {
	s.t.Helper()
	for tries := 1; ; tries++ {
		f := s.Call(op, d)
		if f.Op != "error" || f.Field(s.t, "code") != "rate_limited" || tries == maxTries {
			return f
		}
		ms, _ := f.Field(s.t, "retry_after_ms").(float64) // without it at once
		pause(s.t, time.Duration(ms)*time.Millisecond)
	}
}

// OK is Ask for what must succeed.
func (s *Socket) OK(op string, d any) Frame {
	s.t.Helper()
	f := s.Ask(op, d)
	if f.Op != "ok" {
		s.t.Fatalf("%s: %s", op, f.Raw)
	}
	return f
}

// Refused is Ask for what must fail with a code.
func (s *Socket) Refused(op string, d any, code string) {
	s.t.Helper()
	ask := s.Ask
	if code == "rate_limited" {
		ask = s.Call
	}
	f := ask(op, d)
	if got := f.Field(s.t, "code"); f.Op != "error" || got != code {
		s.t.Errorf("%s: got %s, want %s", op, f.Raw, code)
	}
}

// Ended waits for an op, or for the end: then it gives the close code, else 0.
func (s *Socket) Ended(op string) int {
	s.t.Helper()
	select {
	case f, ok := <-s.frames:
		if ok && f.Op == op {
			s.Seen = append(s.Seen, f)
			return 0
		}
		if ok {
			s.t.Fatalf("%s comes before %s", f.Raw, op)
		}
		err := <-s.closed
		s.closed <- err
		return int(websocket.CloseStatus(err))
	case <-time.After(patience):
		s.t.Fatalf("neither %s nor the end; seen %s", op, s.Story())
	}
	return 0
}

// Closes waits for the end and checks the close code.
func (s *Socket) Closes(code int) {
	s.t.Helper()
	if got, err := s.End(); got != code {
		s.t.Errorf("closed with %d (%v), want %d; seen %s", got, err, code, s.Story())
	}
}

// End reads to the end and gives the close code, -1 without one.
func (s *Socket) End() (code int, err error) {
	s.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case f, ok := <-s.frames:
			if ok {
				s.Seen = append(s.Seen, f)
				continue
			}
			err := <-s.closed
			s.closed <- err
			return int(websocket.CloseStatus(err)), err
		case <-deadline:
			s.t.Fatalf("not closed; seen %s", s.Story())
		}
	}
}

func (s *Socket) Story() string {
	var b strings.Builder
	for _, f := range s.Seen[max(0, len(s.Seen)-20):] {
		fmt.Fprintf(&b, "\n  %.200s", f.Raw)
	}
	return b.String()
}

// Seqs gives the seqs of a chat's events among all frames seen, in order.
func (s *Socket) Seqs(chatID string) (seqs []int64) {
	for _, f := range s.Seen {
		if f.ChatID == chatID && f.Seq > 0 && f.Op != "reset" {
			seqs = append(seqs, f.Seq)
		}
	}
	return seqs
}

// Entries gives the chats told before ready, by id.
func (s *Socket) Entries() map[string]map[string]any {
	s.t.Helper()
	all := map[string]map[string]any{}
	for _, f := range s.Seen {
		if f.Op != "chats" {
			continue
		}
		if len(f.Raw) > 64<<10 {
			s.t.Errorf("a chats Frame of %d bytes", len(f.Raw))
		}
		for _, e := range f.Field(s.t, "chats").([]any) {
			entry := e.(map[string]any)
			all[entry["id"].(string)] = entry
		}
	}
	return all
}
