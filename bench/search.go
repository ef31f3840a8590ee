package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// searchResult is one run of search. Times are milliseconds, as a client sees them.
type searchResult struct {
	Run      string   `json:"run"`
	Engine   string   `json:"engine"`
	Messages int      `json:"messages"`
	Chats    int      `json:"chats"`
	Rate     float64  `json:"rate"`
	Searches summary  `json:"search_ms"`
	Found    summary  `json:"found_ms"` // from the start of a send to the end of the first search that finds it
	Lag      summary  `json:"lag_ms"`   // of the index behind the database, according to each search
	Missed   int      `json:"missed"`   // sends that were not found within 10 s
	Rebuild  *float64 `json:"rebuild_seconds,omitempty"`
	RSS      int64    `json:"rss_bytes"`
	Disk     int64    `json:"index_bytes"`
}

// searchLimit is how long a sent message is looked for.
const searchLimit = 10 * time.Second

// search fills chats with messages whose words are as rare and as common as in real text,
// then measures searches, sends until they are found, and a rebuild.
func search(ctx context.Context, o options) (any, error) {
	engine := "bleve"
	if url := os.Getenv("MEILI_URL"); url != "" {
		engine = "meilisearch"
		_ = os.Setenv("FECHATTER_SEARCH", url)
		_ = os.Setenv("FECHATTER_MEILISEARCH_API_KEY", os.Getenv("MEILI_MASTER_KEY"))
		_ = os.Setenv("FECHATTER_MEILISEARCH_INDEX", fmt.Sprintf("bench-%d", time.Now().UnixNano()))
	}
	s, err := startServer(ctx, o.program, "FECHATTER_LIMITS_SEND_BURST=0")
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.stop() }()
	o.users, o.members = 20, 20
	users, err := setUp(ctx, s.url, o)
	if err != nil {
		return nil, err
	}
	r := &searchRun{users: users, vocabulary: vocabulary()}
	if err := r.fill(ctx, o.messages); err != nil {
		return nil, err
	}
	if err := r.awaitIndexed(ctx); err != nil {
		return nil, err
	}
	result := searchResult{Run: "search", Engine: engine, Messages: o.messages, Chats: o.chats, Rate: o.rate}
	if result.Searches, err = r.measureSearches(ctx, 300); err != nil {
		return nil, err
	}
	if err := r.measureSends(ctx, o); err != nil {
		return nil, err
	}
	result.Found, result.Lag, result.Missed = summarize(r.found), summarize(r.lags), r.missed
	if result.RSS, err = s.rss(); err != nil {
		return nil, err
	}
	result.Disk = size(filepath.Join(s.dir, "data", "search"))
	took, err := rebuild(ctx, s)
	result.Rebuild = &took
	return result, err
}

// rebuild rebuilds the index while the node runs.
func rebuild(ctx context.Context, s *server) (seconds float64, err error) {
	began := time.Now()
	cmd := exec.CommandContext(ctx, s.cmd.Path, "reindex")
	cmd.Dir, cmd.Env = s.cmd.Dir, s.cmd.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("reindex: %w: %s", err, out)
	}
	return time.Since(began).Seconds(), nil
}

func size(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // files of an index come and go
		}
		if info, err := d.Info(); err == nil && !d.IsDir() {
			total += info.Size()
		}
		return nil
	})
	return total
}

// searchRun gathers what one run sees.
type searchRun struct {
	users      []*user
	vocabulary []string

	mu     sync.Mutex
	found  []time.Duration
	lags   []time.Duration
	missed int
}

// vocabulary is made-up words.
func vocabulary() []string {
	rng := rand.New(rand.NewPCG(1, 1))
	words := make([]string, 20_000)
	for i := range words {
		var b strings.Builder
		for range 2 + rng.IntN(3) {
			b.WriteByte("bcdfghklmnprstvz"[rng.IntN(16)])
			b.WriteByte("aeiou"[rng.IntN(5)])
		}
		words[i] = b.String()
	}
	return words
}

// text is twelve words, few of them frequent (Zipf).
func (r *searchRun) text(rng *rand.Rand) string {
	zipf := rand.NewZipf(rng, 1.1, 10, uint64(len(r.vocabulary)-1))
	words := make([]string, 12)
	for i := range words {
		words[i] = r.vocabulary[zipf.Uint64()]
	}
	return strings.Join(words, " ")
}

func (r *searchRun) fill(ctx context.Context, messages int) error {
	g, ctx := errgroup.WithContext(ctx)
	const senders = 64
	for i := range senders {
		g.Go(func() error {
			rng := rand.New(rand.NewPCG(2, uint64(i)))
			for n := i; n < messages; n += senders {
				if err := r.send(ctx, n, r.text(rng)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

func (r *searchRun) send(ctx context.Context, n int, body string) error {
	u := r.users[n%len(r.users)]
	_, err := u.send(ctx, u.team.chats[n%len(u.team.chats)], fmt.Sprintf("k%d", n), body)
	return err
}

// answer is what the measurements read of a search's answer.
type answer struct {
	Hits  []struct{} `json:"hits"`
	LagMS int64      `json:"lag_ms"`
}

func (u *user) search(ctx context.Context, q string) (a answer, err error) {
	err = u.Call(ctx, http.MethodGet, "/search?limit=20&q="+url.QueryEscape(q), nil, &a)
	return a, err
}

func (r *searchRun) awaitIndexed(ctx context.Context) error {
	for {
		a, err := r.users[0].search(ctx, "anything")
		if err == nil && a.LagMS == 0 {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// measureSearches makes one search after the other, for one to three words in all of a
// user's chats. Every other time the last word is unfinished.
func (r *searchRun) measureSearches(ctx context.Context, n int) (summary, error) {
	rng := rand.New(rand.NewPCG(3, 3))
	times := make([]time.Duration, 0, n)
	for i := range n {
		words := strings.Fields(r.text(rng))[:1+i%3]
		if i%2 == 0 {
			last := len(words) - 1
			words[last] = words[last][:3]
		}
		began := time.Now()
		if _, err := r.users[i%len(r.users)].search(ctx, strings.Join(words, " ")); err != nil {
			return summary{}, err
		}
		times = append(times, time.Since(began))
	}
	return summarize(times), nil
}

// measureSends sends at the rate and, at most five times a second, looks for a message
// until another member finds it.
func (r *searchRun) measureSends(ctx context.Context, o options) error {
	g, ctx := errgroup.WithContext(ctx)
	tick := time.NewTicker(time.Duration(float64(time.Second) / o.rate))
	defer tick.Stop()
	end, every := time.After(o.duration), max(1, int(o.rate/5))
	for n := 0; ; n++ {
		select {
		case <-end:
			return g.Wait()
		case <-ctx.Done():
			return g.Wait()
		case <-tick.C:
		}
		g.Go(func() error {
			word, began := fmt.Sprintf("needle%dx", n), time.Now()
			if err := r.send(ctx, 1_000_000+n, "look for "+word+" in the haystack"); err != nil || n%every != 0 {
				return err
			}
			return r.look(ctx, r.users[(n+1)%len(r.users)], word, began)
		})
	}
}

func (r *searchRun) look(ctx context.Context, u *user, word string, began time.Time) error {
	for time.Since(began) < searchLimit {
		a, err := u.search(ctx, word)
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.lags = append(r.lags, time.Duration(a.LagMS)*time.Millisecond)
		if len(a.Hits) > 0 {
			r.found = append(r.found, time.Since(began))
		}
		r.mu.Unlock()
		if len(a.Hits) > 0 {
			return nil
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missed++
	return nil
}
