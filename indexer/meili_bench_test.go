package indexer_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"fechatter/chat"
	"fechatter/indexer"
)

// BenchmarkMeiliServer needs a Meilisearch, as TestMeiliServer does. It measures a
// batch until searches see it, and a search in 50 of 200 chats with 100,000 messages.
func BenchmarkMeiliServer(b *testing.B) {
	m := openMeili(b, realMeili(b).own())
	defer m.Close()
	if err := m.Prepare(b.Context()); err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 1))
	next := 0
	apply := func(b *testing.B, size int) {
		var batch indexer.Batch
		for range size {
			batch.Documents = append(batch.Documents, sentence(random, next))
			next++
		}
		if err := m.Apply(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	for _, size := range []int{10, 1000} {
		b.Run(fmt.Sprintf("apply=%d", size), func(b *testing.B) {
			for b.Loop() {
				apply(b, size)
			}
		})
	}
	b.Run("search", func(b *testing.B) {
		for next < 100_000 {
			apply(b, 5000)
		}
		q := chat.IndexQuery{Prefix: true, Limit: 50}
		for n := range 50 {
			q.ChatIDs = append(q.ChatIDs, fmt.Sprintf("chat-%d", n))
		}
		for b.Loop() {
			q.Words = []string{word(random), word(random)[:3]}
			if _, err := m.Search(b.Context(), q); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func sentence(random *rand.Rand, n int) indexer.Document {
	words := make([]string, 12)
	for i := range words {
		words[i] = word(random)
	}
	d := document(fmt.Sprintf("message-%d", n), strings.Join(words, " "))
	d.ChatID, d.CreatedAt = fmt.Sprintf("chat-%d", n%200), chat.Time(n)
	return d
}

// word returns one of 5,000 words, distributed roughly as in a natural language.
func word(random *rand.Rand) string {
	n := random.IntN(5000)
	return fmt.Sprintf("%c%c%04d", 'a'+n%26, 'a'+n/26%26, random.IntN(n+1))
}
