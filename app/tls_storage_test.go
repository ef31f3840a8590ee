package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
)

// onDisk is a store of the test's own.
func onDisk(t *testing.T) *persistence.Store {
	t.Helper()
	s, err := persistence.Open(t.Context(), persistence.Config{URL: "sqlite:" + t.TempDir() + "/chat.db"}, noPublisher{}, newID, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

type noPublisher struct{}

func (noPublisher) Publish([]chat.Event) {}

func TestCertificateStorage(t *testing.T) {
	t.Parallel()
	s, ctx := newCertificateStorage(onDisk(t), "n1"), t.Context()
	if _, err := s.Load(ctx, "a/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load: %v", err)
	}
	if _, err := s.Stat(ctx, "a/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat: %v", err)
	}
	if _, err := s.List(ctx, "a", true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("List: %v", err)
	}
	for _, key := range []string{"a/b/y", "a/b/z", "a/x", "ab/w"} {
		if err := s.Store(ctx, key, []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Load(ctx, "a/b/y"); err != nil || string(got) != "a/b/y" {
		t.Errorf("Load: %s, %v", got, err)
	}
	for _, tc := range []struct {
		folder    string
		recursive bool
		want      []string
	}{
		{"a", true, []string{"a/b/y", "a/b/z", "a/x"}},
		{"a", false, []string{"a/b", "a/x"}},
		{"", false, []string{"a", "ab"}},
	} {
		if got, err := s.List(ctx, tc.folder, tc.recursive); err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("List %s: %v, %v", tc.folder, got, err)
		}
	}
	for key, terminal := range map[string]bool{"a": false, "a/b": false, "a/x": true} {
		info, err := s.Stat(ctx, key)
		if err != nil || info.IsTerminal != terminal || info.Key != key || !s.Exists(ctx, key) {
			t.Errorf("Stat %s: %+v, %v", key, info, err)
		}
	}
	if err := s.Delete(ctx, "a"); err != nil || s.Exists(ctx, "a/x") || !s.Exists(ctx, "ab/w") {
		t.Errorf("Delete: %v", err)
	}
	closed := newCertificateStorage(onDisk(t), "n1")
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := closed.Load(gone, "a/x"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load from a store that does not answer: %v", err)
	}
}

// leaseStore is a store whose leases are by the bubble's clock.
type leaseStore struct {
	certificateStore
	held     atomic.Pointer[chat.Lease]
	until    atomic.Int64
	away     atomic.Bool
	renewals atomic.Int64
}

func (s *leaseStore) AcquireLease(_ context.Context, l chat.Lease, ttl time.Duration) (bool, error) {
	if s.away.Load() {
		return false, errBroken
	}
	now := time.Now()
	if h := s.held.Load(); h != nil && h.Holder != l.Holder && s.until.Load() > now.UnixNano() {
		return false, nil
	}
	s.held.Store(&l)
	s.until.Store(now.Add(ttl).UnixNano())
	s.renewals.Add(1)
	return true, nil
}

func (s *leaseStore) ReleaseLease(context.Context, chat.Lease) error {
	s.held.Store(nil)
	return nil
}

// A lock lasts for as long as its node lives, and ends when that dies; whoever waits gets it
// then. Callers in one node exclude each other, too.
func TestCertificateLocksExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &leaseStore{}
		one, other := newCertificateStorage(db, "n1"), newCertificateStorage(db, "n2")
		if err := one.Lock(t.Context(), "issue"); err != nil {
			t.Fatal(err)
		}
		for _, s := range []*certificateStorage{one, other} {
			short, cancel := context.WithTimeout(t.Context(), 3*lockFor)
			if err := s.Lock(short, "issue"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a lock that is held: %v", err)
			}
			cancel()
		}
		one.close() // as when its node dies: nobody renews it
		began := time.Now()
		if err := other.Lock(t.Context(), "issue"); err != nil || time.Since(began) > lockFor+2*lockPoll {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if err := other.Unlock(t.Context(), "issue"); err != nil || db.held.Load() != nil {
			t.Errorf("unlock: %v", err)
		}
		if err := other.Unlock(t.Context(), "issue"); err == nil {
			t.Error("unlocked twice")
		}
		db.away.Store(true)
		if err := other.Lock(t.Context(), "issue"); !errors.Is(err, errBroken) {
			t.Errorf("a store that is away: %v", err)
		}
	})
}
