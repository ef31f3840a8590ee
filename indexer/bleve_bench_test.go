package indexer_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/indexer"
)

const (
	benchMessages = 100_000
	benchChats    = 2_000
)

// corpus generates messages whose words are distributed as in a natural language; a
// third of them are Chinese.
type corpus struct {
	random *rand.Rand
	zipf   *rand.Zipf
}

func newCorpus() *corpus {
	random := rand.New(rand.NewPCG(1, 2))
	return &corpus{random, rand.NewZipf(random, 1.1, 4, 60_000)}
}

func (c *corpus) word() string {
	n := c.zipf.Uint64()*2_654_435_761%1_000_003 + 26
	var b strings.Builder
	for ; n > 0; n /= 19 {
		b.WriteString([]string{"a", "e", "i", "o", "u", "b", "de", "c", "l", "m", "n", "pro", "r", "s", "t", "ka", "v", "st", "y"}[n%19])
	}
	return b.String()
}

func (c *corpus) body(n int) string {
	var b strings.Builder
	for range 4 + c.random.IntN(20) {
		if n%3 == 0 {
			b.WriteRune('\u4e00' + rune(c.zipf.Uint64()%3000))
			b.WriteRune('\u4e00' + rune(c.zipf.Uint64()%3000))
			continue
		}
		b.WriteString(c.word())
		b.WriteByte(' ')
	}
	return b.String()
}

func benchChat(n int) string { return fmt.Sprintf("0197c0de-0000-7000-8000-%012d", n) }

func (c *corpus) message(n int) indexer.Document {
	return indexer.Document{
		ID: fmt.Sprintf("0197c0de-1111-7000-8000-%012d", n), ChatID: benchChat(min(int(c.zipf.Uint64()), c.random.IntN(benchChats))), Seq: int64(n),
		SenderID: benchChat(n % 500), Body: c.body(n), CreatedAt: chat.Time(1_750_000_000_000 + n*1000), Version: 1, HasLink: n%20 == 0,
	}
}

func (c *corpus) fill(b *testing.B, apply func(indexer.Batch) error) {
	b.Helper()
	for at := 0; at < benchMessages; at += 1000 {
		docs := make([]indexer.Document, 1000)
		for i := range docs {
			docs[i] = c.message(at + i)
		}
		if err := apply(indexer.Batch{Documents: docs}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBleveRebuild builds an index of 100,000 messages in batches of 1,000.
func BenchmarkBleveRebuild(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		index := openBleve(b, dir)
		rebuild, err := index.Rebuild(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		newCorpus().fill(b, func(batch indexer.Batch) error { return rebuild.Apply(b.Context(), batch) })
		if err := rebuild.Swap(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(size(b, dir))/(1<<20), "MiB")
		b.ReportMetric(resident(b), "MiB-resident")
		if err := index.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBleveApply changes an index of 100,000 messages ten at a time.
func BenchmarkBleveApply(b *testing.B) {
	index := openBleve(b, b.TempDir())
	defer index.Close()
	words := newCorpus()
	words.fill(b, func(batch indexer.Batch) error { return index.Apply(b.Context(), batch) })
	n := benchMessages
	for b.Loop() {
		docs := make([]indexer.Document, 10)
		for i := range docs {
			docs[i] = words.message(n)
			n++
		}
		if err := index.Apply(b.Context(), indexer.Batch{Documents: docs}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBleveSearch searches an index of 100,000 messages.
func BenchmarkBleveSearch(b *testing.B) {
	index := openBleve(b, b.TempDir())
	defer index.Close()
	newCorpus().fill(b, func(batch indexer.Batch) error { return index.Apply(b.Context(), batch) })
	common, rare := newCorpus(), newCorpus()
	for name, ask := range map[string]func() chat.IndexQuery{
		"word":   func() chat.IndexQuery { return chat.IndexQuery{Words: []string{common.word()}} },
		"two":    func() chat.IndexQuery { return chat.IndexQuery{Words: []string{common.word(), common.word()}} },
		"letter": func() chat.IndexQuery { return chat.IndexQuery{Words: []string{rare.word()[:1]}, Prefix: true} },
		"prefix": func() chat.IndexQuery {
			return chat.IndexQuery{Words: []string{(rare.word() + "pro")[:3]}, Prefix: true}
		},
		"typo":     func() chat.IndexQuery { return chat.IndexQuery{Words: []string{rare.word() + "e"}} },
		"phrase":   func() chat.IndexQuery { return chat.IndexQuery{Phrases: []string{common.word() + " " + common.word()}} },
		"Chinese":  func() chat.IndexQuery { return chat.IndexQuery{Words: []string{rare.body(3)[:6]}} },
		"Chinese4": func() chat.IndexQuery { return chat.IndexQuery{Words: []string{rare.body(3)[:12]}} },
		"filters":  func() chat.IndexQuery { return chat.IndexQuery{Links: true, Since: 1_750_000_000_000} },
	} {
		for _, chats := range []int{50, 2_000} {
			b.Run(fmt.Sprintf("%s/%d", name, chats), func(b *testing.B) { askAll(b, index, ask, chats) })
		}
	}
}

func askAll(b *testing.B, index *indexer.Bleve, ask func() chat.IndexQuery, chats int) {
	var took []time.Duration
	hits := 0
	for b.Loop() {
		q := ask()
		q.Limit = 20
		for n := range chats {
			q.ChatIDs = append(q.ChatIDs, benchChat(n*benchChats/chats))
		}
		begun := time.Now()
		found, err := index.Search(b.Context(), q)
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
		hits += found.Total
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
	b.ReportMetric(float64(hits)/float64(len(took)), "found")
}

func size(b *testing.B, dir string) (total int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return total
}

// resident returns the resident memory of the process, in MiB.
func resident(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var all, pages int64
	if _, err := fmt.Sscan(string(text), &all, &pages); err != nil {
		b.Fatal(err)
	}
	return float64(pages*int64(os.Getpagesize())) / (1 << 20)
}
