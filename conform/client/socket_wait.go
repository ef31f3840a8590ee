package client

import (
	"fmt"
	"strings"
	"time"

	"fechatter/client"
)

// Until returns the next frame that matches. Those that it passes over stay in Seen.
func (s *Socket) Until(what string, match func(Frame) bool) Frame {
	s.t.Helper()
	f, ok := s.Within(patienceOf(s.t), match)
	if !ok {
		s.t.Fatalf("no %s; seen %s", what, s.Story())
	}
	return f
}

// Within is Until for what may not come: ok is false if nothing that matches comes
// in time.
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

// Want is Until for an op.
func (s *Socket) Want(op string) Frame {
	s.t.Helper()
	return s.Until(op, func(f Frame) bool { return f.Op == op })
}

// Ended waits for an op, or for the end: then it returns the close code, else 0.
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
		return client.CloseCode(err)
	case <-time.After(patienceOf(s.t)):
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

// End reads to the end and returns the close code, -1 without one.
func (s *Socket) End() (code int, err error) {
	s.t.Helper()
	deadline := time.After(patienceOf(s.t))
	for {
		select {
		case f, ok := <-s.frames:
			if ok {
				s.Seen = append(s.Seen, f)
				continue
			}
			err := <-s.closed
			s.closed <- err
			return client.CloseCode(err), err
		case <-deadline:
			s.t.Fatalf("not closed; seen %s", s.Story())
		}
	}
}

// Story is the last frames seen, for a failure to show.
func (s *Socket) Story() string {
	var b strings.Builder
	for _, f := range s.Seen[max(0, len(s.Seen)-20):] {
		fmt.Fprintf(&b, "\n  %.200s", f.Raw)
	}
	return b.String()
}

// Seqs returns the seqs of a chat's events among all frames seen, in order.
func (s *Socket) Seqs(chatID string) (seqs []int64) {
	for _, f := range s.Seen {
		if f.ChatID == chatID && f.Seq > 0 && f.Op != "reset" {
			seqs = append(seqs, f.Seq)
		}
	}
	return seqs
}

// Entries returns the chats that the server named before ready, by id.
func (s *Socket) Entries() map[string]map[string]any {
	s.t.Helper()
	all := map[string]map[string]any{}
	for _, f := range s.Seen {
		if f.Op != "chats" {
			continue
		}
		if len(f.Raw) > 64<<10 {
			s.t.Errorf("a chats frame of %d bytes", len(f.Raw))
		}
		for _, e := range f.Field(s.t, "chats").([]any) {
			entry := e.(map[string]any)
			all[entry["id"].(string)] = entry
		}
	}
	return all
}
