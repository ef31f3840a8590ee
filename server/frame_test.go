package server

import (
	"strings"
	"testing"

	"fechatter/chat"
)

// An encoder that is used again holds nothing of what it encoded before, and no HTML escapes.
func TestEncodersAreUsedAgain(t *testing.T) {
	var p encoders
	for _, text := range []string{strings.Repeat("long", 1000), "short", "<&>", ""} {
		err := p.encode(pushFrame{Op: text}, func(data []byte) {
			if got, want := string(data), `{"op":"`+text+`","d":null}`; got != want {
				t.Errorf("encoded %.40q, want %.40q", got, want)
			}
		})
		if err != nil {
			t.Error(err)
		}
		if p.encode(pushFrame{D: func() {}}, func([]byte) { t.Error("a function was encoded") }) == nil {
			t.Error("no error")
		}
	}
}

func BenchmarkAnswer(b *testing.B) {
	var p encoders
	id, sent := "c1", chat.Sent{MessageID: "0199a0c0-0000-7000-8000-000000000001", Seq: 123456}
	b.ReportAllocs()
	for b.Loop() {
		if err := p.encode(answerFrame{Re: &id, Op: "ok", D: sent}, func([]byte) {}); err != nil {
			b.Fatal(err)
		}
	}
}
