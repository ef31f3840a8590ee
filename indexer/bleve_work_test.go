package indexer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"fechatter/chat"

	"github.com/blevesearch/bleve/v2/index/scorch"
)

// A body of one word is all occurrences of a phrase of that word: each unit is marked once.
func TestOverlappingOccurrencesAreMarkedOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		phrase, body string
		marks        int
		joined       string
	}{
		{strings.Repeat("a ", 100), strings.Repeat("a ", 4000), 4000, ""},
		{"a b a", "a b a b a c a b a", 8, "[{0 1} {2 3} {4 5} {6 7} {8 9} {12 13} {14 15} {16 17}]"},
		{"a a", "a a a b a a", 5, "[{0 1} {2 3} {4 5} {8 9} {10 11}]"},
		{".net net", ".net .net .net", 3, "[{0 4} {5 9} {11 14}]"},
	} {
		patterns, _ := patternsOf(chat.IndexQuery{Phrases: []string{c.phrase}})
		marks := patterns[0].find(scan(c.body), nil)
		if len(marks) != c.marks {
			t.Errorf("%.20q in %.20q: %d marks, want %d", c.phrase, c.body, len(marks), c.marks)
		}
		if joined := fmt.Sprint(chat.JoinMarks(marks)); c.joined != "" && joined != c.joined {
			t.Errorf("%q in %q: %s, want %s", c.phrase, c.body, joined, c.joined)
		}
	}
}

// A phrase that has to be looked up in long bodies costs a bounded amount of work, however
// many there are, and what it found by then is the answer.
func TestLookingUpIsBounded(t *testing.T) {
	t.Parallel()
	const bodies = 300
	b := openFilled(t, bodies, strings.Repeat("a ", 1000))
	q := chat.IndexQuery{ChatIDs: []string{"c"}, Phrases: []string{strings.Repeat("a ", 100)}, Limit: 10}
	p, err := b.plan(q)
	if err != nil {
		t.Fatal(err)
	}
	p.work = 50 * 2000 * 101
	looked := p.work
	err = b.read(t.Context(), func(snapshot *scorch.IndexSnapshot) error {
		found, err := searchIn(t.Context(), snapshot, &p)
		if len(found.Hits) != q.Limit || found.Total != bodies {
			t.Errorf("%d hits of %d", len(found.Hits), found.Total)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if looked -= p.work; looked != 50*2000*101 {
		t.Errorf("looked up %d bodies, want 50", looked/2000/101)
	}
}

// A search whose caller has gone ends with the next body.
func TestLookingUpEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	b := openFilled(t, 100, "a a a")
	p, err := b.plan(chat.IndexQuery{ChatIDs: []string{"c"}, Phrases: []string{"a a a"}, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	err = b.read(ctx, func(snapshot *scorch.IndexSnapshot) error {
		leave()
		var all ranking
		for doc := range uint64(100) {
			all = append(all, candidate{in: snapshot.Segments()[0], doc: doc})
		}
		_, err := all.hits(&countdown{Context: t.Context(), left: 5, ended: ctx.Err()}, &p)
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

// countdown is a context that ends when it has been asked so often.
type countdown struct {
	context.Context //nolint:containedctx // it is one
	left            int
	ended           error
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return c.ended
	}
	return nil
}

// openFilled opens an index that holds n messages of one body.
func openFilled(t *testing.T, n int, body string) *Bleve {
	t.Helper()
	b, err := OpenBleve(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	var batch Batch
	for i := range n {
		batch.Documents = append(batch.Documents, Document{ID: fmt.Sprint(i), ChatID: "c", Body: body, Version: 1})
	}
	if err := b.Apply(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	return b
}
