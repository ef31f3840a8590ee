package client

import (
	"context"
	"time"

	"github.com/coder/websocket"
)

// Text sends one raw message.
func (s *Socket) Text(data string) {
	s.t.Helper()
	s.Write(websocket.MessageText, data)
}

// Binary sends one raw message of a kind that the contract does not know.
func (s *Socket) Binary(data string) {
	s.t.Helper()
	s.Write(websocket.MessageBinary, data)
}

// Write sends one raw message.
func (s *Socket) Write(kind websocket.MessageType, data string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patienceOf(s.t))
	defer cancel()
	if err := s.WS.WebSocket().Write(ctx, kind, []byte(data)); err != nil {
		s.t.Fatalf("write: %v", err)
	}
}

// Say sends a command without waiting for its answer.
func (s *Socket) Say(id, op string, d any) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patienceOf(s.t))
	defer cancel()
	if err := s.WS.Write(ctx, id, op, d); err != nil {
		s.t.Fatalf("write: %v", err)
	}
}

// Call sends a command and returns its answer; events on the way can be asked for
// later.
func (s *Socket) Call(op string, d any) Frame {
	s.t.Helper()
	id := NewKey()
	s.Say(id, op, d)
	from := s.next
	f := s.Until("the answer of "+op, func(f Frame) bool { return f.Re != nil && *f.Re == id })
	s.next = from
	return f
}

// Ask is Call, repeated while the server asks to come back later.
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
