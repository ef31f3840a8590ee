package app

import (
	"encoding/json"
	"testing"

	"fechatter/chat"
)

// The longest answer of one node to another fits into one NATS message.
func TestSearchAnswerFits(t *testing.T) {
	const maxPayload, pageAndTail = 1 << 20, 200 + 500
	var marks []chat.Mark
	for at := range 8 << 10 {
		marks = append(marks, chat.Mark{Start: 2 * at, End: 2*at + 1})
	}
	marks = chat.JoinMarks(marks)
	hits := make([]chat.IndexHit, chat.MaxSearchOffset+pageAndTail)
	for i := range hits {
		hits[i] = chat.IndexHit{ID: newID(), Version: 10, Marks: marks}
	}
	data, err := json.Marshal(searchAnswer{Hits: chat.IndexHits{Hits: hits, Total: 1_000_000}})
	if err != nil || len(data) > maxPayload {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}
