package indexer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"fechatter/chat"
)

var errAway = errors.New("the engine is away")

// engine is an index in memory, of which a test sees every batch.
type engine struct {
	mu       sync.Mutex
	docs     map[string]Document
	making   map[string]Document // the rebuild
	batches  []int               // their sizes
	at       []time.Time
	away     bool
	prepared int
	during   func() // runs inside the next Apply
	cured    bool   // poison is taken
	cramped  bool   // no room for a rebuild, which it takes a while to find out
}

func newEngine() *engine { return &engine{docs: map[string]Document{}} }

func (e *engine) Search(context.Context, chat.IndexQuery) (chat.IndexHits, error) {
	return chat.IndexHits{Total: len(e.have())}, e.fault()
}

func (e *engine) fault() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.away {
		return errAway
	}
	return nil
}

func (e *engine) set(away bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.away = away
}

// log is the size and time of each batch so far.
func (e *engine) log() ([]int, []time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.batches), slices.Clone(e.at)
}

func (e *engine) preparations() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.prepared
}

func (e *engine) Prepare(context.Context) error {
	e.mu.Lock()
	e.prepared++
	e.mu.Unlock()
	return e.fault()
}

func (e *engine) Apply(_ context.Context, b Batch) error { return e.apply(e.docs, b) }

func (e *engine) apply(docs map[string]Document, b Batch) error {
	e.mu.Lock()
	during := e.during
	e.during = nil
	e.mu.Unlock()
	if during != nil {
		during()
	}
	if err := e.fault(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range b.Documents {
		if strings.Contains(d.Body, "poison") && !e.cured {
			return &RefusedError{"poison"}
		}
	}
	e.batches, e.at = append(e.batches, b.Len()), append(e.at, time.Now())
	for _, d := range b.Documents {
		docs[d.ID] = d
	}
	for _, id := range b.Deleted {
		delete(docs, id)
	}
	return nil
}

func (e *engine) Count(context.Context) (int64, error) { return int64(len(e.have())), e.fault() }

func (e *engine) Versions(_ context.Context, ids []string) (map[string]int64, error) {
	have := e.have()
	maps.DeleteFunc(have, func(id string, _ int64) bool { return !slices.Contains(ids, id) })
	return have, e.fault()
}

func (e *engine) Page(_ context.Context, after string, limit int) (ids []string, next string, err error) {
	for _, id := range slices.Sorted(maps.Keys(e.have())) {
		if id > after {
			ids = append(ids, id)
		}
	}
	if len(ids) > limit {
		ids, next = ids[:limit], ids[limit-1]
	}
	return ids, next, e.fault()
}

func (e *engine) Rebuild(context.Context) (Rebuild, error) {
	if e.cramped {
		time.Sleep(2 * time.Second)
		return nil, errAway
	}
	e.making = map[string]Document{}
	return rebuilding{e}, e.fault()
}

func (e *engine) Close() error { return nil }

// have is the version of every document.
func (e *engine) have() map[string]int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	have := map[string]int64{}
	for id, d := range e.docs {
		have[id] = d.Version
	}
	return have
}

type rebuilding struct{ e *engine }

func (r rebuilding) Apply(_ context.Context, b Batch) error { return r.e.apply(r.e.making, b) }

func (r rebuilding) Swap(context.Context) error {
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	r.e.docs, r.e.making = r.e.making, nil
	return nil
}

func (r rebuilding) Drop(context.Context) error { return nil }

// books is a database with one chat, an outbox and a lease.
type books struct {
	mu       sync.Mutex
	messages map[string]chat.Message
	outbox   map[string]int64
	refused  map[string]bool
	holder   string
	until    time.Time
	job      string
	cut      map[string]bool // holders whose renewals fail
	slow     time.Duration   // after reading the outbox
	paged    func()          // runs after each page that is read
}

func newBooks() *books {
	return &books{messages: map[string]chat.Message{}, outbox: map[string]int64{}, refused: map[string]bool{}, cut: map[string]bool{}}
}

func name(n int) string { return fmt.Sprintf("m%06d", n) }

// write sends or edits message n.
func (b *books) write(n int, body string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.messages[name(n)]
	m.ID, m.Body, m.Version = name(n), body, m.Version+1
	b.messages[m.ID] = m
	b.outbox[m.ID], b.refused[m.ID] = m.Version, false
}

func (b *books) erase(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.messages[name(n)]
	m.Body, m.Version, m.DeletedAt = "", m.Version+1, new(chat.Time(1))
	b.messages[m.ID] = m
	b.outbox[m.ID] = m.Version
}

// versions is what an index should have.
func (b *books) versions() map[string]int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	want := map[string]int64{}
	for id, m := range b.messages {
		if m.DeletedAt == nil {
			want[id] = m.Version
		}
	}
	return want
}

func (b *books) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.outbox)
}

func (b *books) PendingIndex(_ context.Context, l chat.Lease, limit int) (entries []chat.IndexEntry, held bool, err error) {
	b.mu.Lock()
	held = b.holder == l.Holder && time.Now().Before(b.until)
	for _, id := range slices.Sorted(maps.Keys(b.outbox)) {
		if b.refused[id] || len(entries) == limit || !held {
			continue
		}
		e := chat.IndexEntry{MessageID: id, Version: b.outbox[id]}
		if m, ok := b.messages[id]; ok && m.DeletedAt == nil {
			e.Message = &m
		}
		entries = append(entries, e)
	}
	slow := b.slow
	b.mu.Unlock()
	if len(entries) > 0 {
		time.Sleep(slow)
	}
	return entries, held, nil
}

func (b *books) IndexDone(_ context.Context, entries []chat.IndexEntry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range entries {
		if b.outbox[e.MessageID] <= e.Version {
			delete(b.outbox, e.MessageID)
		}
	}
	return nil
}

func (b *books) IndexRefused(_ context.Context, e chat.IndexEntry, _ string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused[e.MessageID] = true
	return nil
}

func (b *books) QueueIndex(_ context.Context, ids []string) (queued int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		if _, waits := b.outbox[id]; !waits {
			b.outbox[id] = max(1, b.messages[id].Version)
			queued++
		}
	}
	return queued, nil
}

func (b *books) RetryRefused(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.refused)
	return nil
}

func (b *books) HasMessages(context.Context) (bool, error) { return len(b.versions()) > 0, nil }

func (b *books) HasIndexed(context.Context) (bool, error) {
	oldest := slices.Sorted(maps.Keys(b.versions()))
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(oldest) == 0 {
		return false, nil
	}
	_, waits := b.outbox[oldest[0]]
	return !waits, nil
}

func (b *books) CountMessages(context.Context) (int64, error) { return int64(len(b.versions())), nil }

func (b *books) IndexPage(_ context.Context, after string, limit int) (page []chat.Message, next string, err error) {
	b.mu.Lock()
	for _, id := range slices.Sorted(maps.Keys(b.messages)) {
		if m := b.messages[id]; id > after && m.DeletedAt == nil && len(page) < limit {
			page = append(page, m)
		}
	}
	paged := b.paged
	b.mu.Unlock()
	if len(page) == limit {
		next = page[limit-1].ID
	}
	if paged != nil {
		paged()
	}
	return page, next, nil
}

func (b *books) MessageVersions(context.Context, []string) (map[string]int64, error) {
	return b.versions(), nil
}

func (b *books) TakeLease(_ context.Context, l chat.Lease, ttl time.Duration) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut[l.Holder] {
		return false, errAway
	}
	if b.holder != l.Holder && time.Now().Before(b.until) {
		return false, nil
	}
	b.holder, b.until = l.Holder, time.Now().Add(ttl)
	return true, nil
}

func (b *books) LeaveLease(_ context.Context, l chat.Lease) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holder == l.Holder && !b.cut[l.Holder] {
		b.until = time.Time{}
	}
	return nil
}

func (b *books) IndexJob(context.Context) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.job, nil
}

func (b *books) SaveIndexJob(_ context.Context, job string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.job = job
	return nil
}
