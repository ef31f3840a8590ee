package indexer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fechatter/chat"
)

var errAway = errors.New("the engine is down")

// fakeEngine is an index in memory that records every batch.
type fakeEngine struct {
	mu       sync.Mutex
	docs     map[string]Document
	making   map[string]Document // by the rebuild
	batches  []int               // their sizes
	at       []time.Time
	away     bool
	prepared int
	during   func() // runs inside the next Apply
	cured    bool   // accepts poison
	cramped  bool   // has no room for a rebuild, and notices only after a while
}

func newFakeEngine() *fakeEngine { return &fakeEngine{docs: map[string]Document{}} }

func (e *fakeEngine) Search(context.Context, chat.IndexQuery) (chat.IndexHits, error) {
	return chat.IndexHits{Total: len(e.have())}, e.fault()
}

func (e *fakeEngine) fault() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.away {
		return errAway
	}
	return nil
}

func (e *fakeEngine) set(away bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.away = away
}

// log returns the size and time of each batch so far.
func (e *fakeEngine) log() ([]int, []time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.batches), slices.Clone(e.at)
}

func (e *fakeEngine) preparations() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.prepared
}

func (e *fakeEngine) Prepare(context.Context) error {
	e.mu.Lock()
	e.prepared++
	e.mu.Unlock()
	return e.fault()
}

func (e *fakeEngine) Apply(_ context.Context, b Batch) error { return e.apply(e.docs, b) }

func (e *fakeEngine) apply(docs map[string]Document, b Batch) error {
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

func (e *fakeEngine) Count(context.Context) (int64, error) { return int64(len(e.have())), e.fault() }

func (e *fakeEngine) Versions(_ context.Context, ids []string) (map[string]int64, error) {
	have := e.have()
	maps.DeleteFunc(have, func(id string, _ int64) bool { return !slices.Contains(ids, id) })
	return have, e.fault()
}

func (e *fakeEngine) Page(_ context.Context, after string, limit int) (ids []string, next string, err error) {
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

func (e *fakeEngine) Rebuild(context.Context) (Rebuild, error) {
	if e.cramped {
		time.Sleep(2 * time.Second)
		return nil, errAway
	}
	e.making = map[string]Document{}
	return rebuilding{e}, e.fault()
}

func (e *fakeEngine) Close() error { return nil }

// have returns the version of every document.
func (e *fakeEngine) have() map[string]int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	have := map[string]int64{}
	for id, d := range e.docs {
		have[id] = d.Version
	}
	return have
}

// ownEngine is an index in the folder of one node.
type ownEngine struct {
	*fakeEngine
	position string
	stuck    bool // no rebuild ends well
}

func (e *ownEngine) Position(context.Context) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.position, nil
}

func (e *ownEngine) Apply(ctx context.Context, b Batch) error {
	if err := e.fakeEngine.Apply(ctx, b); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.position = cmp.Or(b.Position, e.position)
	return nil
}

func (e *ownEngine) Rebuild(ctx context.Context) (Rebuild, error) {
	r, err := e.fakeEngine.Rebuild(ctx)
	return &ownRebuilding{Rebuild: r, of: e}, err
}

// ownRebuilding becomes an index with a position.
type ownRebuilding struct {
	Rebuild
	of       *ownEngine
	position string
}

func (r *ownRebuilding) Apply(ctx context.Context, b Batch) error {
	r.position = cmp.Or(b.Position, r.position)
	return r.Rebuild.Apply(ctx, b)
}

func (r *ownRebuilding) Swap(ctx context.Context) error {
	r.of.mu.Lock()
	stuck := r.of.stuck
	if !stuck {
		r.of.position = r.position
	}
	r.of.mu.Unlock()
	if stuck {
		return errAway
	}
	return r.Rebuild.Swap(ctx)
}

type rebuilding struct{ e *fakeEngine }

func (r rebuilding) Apply(_ context.Context, b Batch) error { return r.e.apply(r.e.making, b) }

func (r rebuilding) Swap(context.Context) error {
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	r.e.docs, r.e.making = r.e.making, nil
	return nil
}

func (r rebuilding) Drop(context.Context) error { return nil }

// fakeStore is a database with one chat, an outbox and a lease.
type fakeStore struct {
	mu       sync.Mutex
	messages map[string]chat.Message
	outbox   map[string]int64
	log      []string // of what was indexed
	trimmed  int      // so much of it is gone
	caught   int      // so much of it was read
	catching func()   // runs while it is read
	silent   bool     // about leases and the outbox it answers nothing
	refused  map[string]bool
	holder   string
	until    time.Time
	job      string
	cut      map[string]bool // holders whose renewals fail
	slow     time.Duration   // after reading the outbox
	paged    func()          // runs after each page read
	logged   func(n int)     // runs after each batch was logged, and before its indexer knows
}

func newFakeStore() *fakeStore {
	return &fakeStore{messages: map[string]chat.Message{}, outbox: map[string]int64{}, refused: map[string]bool{}, cut: map[string]bool{}}
}

func name(n int) string { return fmt.Sprintf("m%06d", n) }

// write sends or edits message n.
func (b *fakeStore) write(n int, body string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.messages[name(n)]
	m.ID, m.Body, m.Version = name(n), body, m.Version+1
	b.messages[m.ID] = m
	b.outbox[m.ID], b.refused[m.ID] = m.Version, false
}

func (b *fakeStore) erase(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.messages[name(n)]
	m.Body, m.Version, m.DeletedAt = "", m.Version+1, new(chat.Time(1))
	b.messages[m.ID] = m
	b.outbox[m.ID] = m.Version
}

// versions returns what an index should have.
func (b *fakeStore) versions() map[string]int64 {
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

func (b *fakeStore) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.outbox)
}

func (b *fakeStore) PendingIndex(ctx context.Context, l chat.Lease, limit int) (entries []chat.IndexEntry, held bool, err error) {
	b.mu.Lock()
	b.answer(ctx)
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

func (b *fakeStore) IndexDone(_ context.Context, l chat.Lease, entries []chat.IndexEntry) (position string, held bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holder != l.Holder || !time.Now().Before(b.until) {
		return "", false, nil
	}
	for _, e := range entries {
		if b.outbox[e.MessageID] <= e.Version {
			delete(b.outbox, e.MessageID)
		}
		b.log = append(b.log, e.MessageID)
	}
	n := len(b.log)
	if logged := b.logged; logged != nil {
		b.mu.Unlock()
		logged(n)
		b.mu.Lock()
	}
	return fmt.Sprint(n), true, nil
}

func (b *fakeStore) IndexPosition(context.Context) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprint(len(b.log)), nil
}

// IndexedSince lists at most ten messages at a time.
func (b *fakeStore) IndexedSince(_ context.Context, position string) (entries []chat.IndexEntry, next string, known bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, err := strconv.Atoi(position)
	if err != nil || at < b.trimmed || at > len(b.log) {
		return nil, "", false, nil
	}
	seen := map[string]bool{}
	for ; at < len(b.log) && len(entries) < 10; at++ {
		id := b.log[at]
		if seen[id] {
			continue
		}
		seen[id] = true
		e := chat.IndexEntry{MessageID: id, Version: b.messages[id].Version}
		if m := b.messages[id]; m.ID != "" && m.DeletedAt == nil {
			e.Message = &m
		}
		entries = append(entries, e)
	}
	b.caught += len(entries)
	if b.catching != nil {
		b.mu.Unlock()
		b.catching()
		b.mu.Lock()
	}
	return entries, fmt.Sprint(at), true, nil
}

func (b *fakeStore) IndexRefused(_ context.Context, e chat.IndexEntry, _ string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused[e.MessageID] = true
	return nil
}

func (b *fakeStore) QueueIndex(_ context.Context, ids []string) (queued int, err error) {
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

func (b *fakeStore) RetryRefused(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.refused)
	return nil
}

func (b *fakeStore) HasMessages(context.Context) (bool, error) { return len(b.versions()) > 0, nil }

func (b *fakeStore) HasIndexed(context.Context) (bool, error) {
	oldest := slices.Sorted(maps.Keys(b.versions()))
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(oldest) == 0 {
		return false, nil
	}
	_, waits := b.outbox[oldest[0]]
	return !waits, nil
}

func (b *fakeStore) CountMessages(context.Context) (int64, error) {
	return int64(len(b.versions())), nil
}

func (b *fakeStore) IndexPage(_ context.Context, after string, limit int) (page []chat.Message, next string, err error) {
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

func (b *fakeStore) MessageVersions(context.Context, []string) (map[string]int64, error) {
	return b.versions(), nil
}

// answer waits, while the database is silent, until nobody waits for it any more.
func (b *fakeStore) answer(ctx context.Context) {
	if b.silent {
		b.mu.Unlock()
		<-ctx.Done()
		b.mu.Lock()
	}
}

func (b *fakeStore) AcquireLease(ctx context.Context, l chat.Lease, ttl time.Duration) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer(ctx)
	if b.cut[l.Holder] {
		return false, errAway
	}
	if b.holder != l.Holder && time.Now().Before(b.until) {
		return false, nil
	}
	b.holder, b.until = l.Holder, time.Now().Add(ttl)
	return true, nil
}

func (b *fakeStore) ReleaseLease(_ context.Context, l chat.Lease) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holder == l.Holder && !b.cut[l.Holder] {
		b.until = time.Time{}
	}
	return nil
}

func (b *fakeStore) IndexJob(context.Context) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.job, nil
}

func (b *fakeStore) SaveIndexJob(_ context.Context, job string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.job = job
	return nil
}
