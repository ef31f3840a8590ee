package hub

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func sample() Event {
	return Event{Stream: "c1", Seq: 7, Op: "message.created", Kind: Content, Target: 7, Data: []byte(`{"seq":7}`)}
}

func TestEventTravels(t *testing.T) {
	for _, e := range []Event{
		sample(),
		{Stream: "c1", Seq: 8, Op: "member.removed", Kind: Removed, Subject: "u1", Data: []byte("{}")},
		{Stream: "c1", Seq: 9, Op: "message.edited", Kind: Content | Rewrite, Target: 7, Data: []byte("{}")},
		{Stream: "c1", Seq: 1 << 62, Op: "from.the.future", Kind: 1 << 6, Epoch: 1 << 63, Data: []byte("{}")},
	} {
		b, err := e.AppendBinary([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseEvent(bytes.TrimPrefix(b, []byte("before")))
		if err != nil {
			t.Fatal(err)
		}
		if !sameEvent(got, e) {
			t.Errorf("got %+v, want %+v", got, e)
		}
	}
}

func sameEvent(a, b Event) bool {
	return a.Stream == b.Stream && a.Seq == b.Seq && a.Op == b.Op && a.Kind == b.Kind &&
		a.Subject == b.Subject && a.Target == b.Target && a.Epoch == b.Epoch && bytes.Equal(a.Data, b.Data)
}

func TestBadEventsAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Event){
		"no stream":         func(e *Event) { e.Stream = "" },
		"long stream":       func(e *Event) { e.Stream = strings.Repeat("x", 256) },
		"break in op":       func(e *Event) { e.Op = "a\nb" },
		"no op":             func(e *Event) { e.Op = "" },
		"seq 0":             func(e *Event) { e.Seq = 0 },
		"seq below 0":       func(e *Event) { e.Seq = -1 },
		"content of none":   func(e *Event) { e.Target = 0 },
		"target below 0":    func(e *Event) { e.Target = -1 },
		"removal of nobody": func(e *Event) { e.Kind = Removed },
		"space in subject":  func(e *Event) { e.Subject = "a b" },
		"no data":           func(e *Event) { e.Data = nil },
	} {
		e := sample()
		spoil(&e)
		if _, err := e.AppendBinary(nil); !errors.Is(err, ErrBadEvent) {
			t.Errorf("%s: error %v, want ErrBadEvent", name, err)
		}
	}
}

func TestCutOffEventsAreRefused(t *testing.T) {
	b, err := sample().AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	whole := len(b) - len(sample().Data)
	for n := range whole + 1 {
		if _, err := ParseEvent(b[:n]); !errors.Is(err, ErrBadEvent) {
			t.Errorf("%d bytes: error %v, want ErrBadEvent", n, err)
		}
	}
	b[0] = 2
	if _, err := ParseEvent(b); !errors.Is(err, ErrBadEvent) {
		t.Errorf("unknown version: error %v, want ErrBadEvent", err)
	}
}

func FuzzParseEvent(f *testing.F) {
	b, err := sample().AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 1, 1, 'a', 'b', 'c', 'd'})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEvent(b)
		if err != nil {
			if !errors.Is(err, ErrBadEvent) {
				t.Fatalf("error %v is not ErrBadEvent", err)
			}
			return
		}
		again, err := e.AppendBinary(nil)
		if err != nil {
			t.Fatalf("a parsed event was refused: %v", err)
		}
		if !bytes.Equal(again, b) {
			t.Fatalf("round trip made %x, want %x", again, b)
		}
	})
}
