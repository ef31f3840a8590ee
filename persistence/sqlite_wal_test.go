package persistence_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// TestNothingIsLostAfterTheDiskFailed: fsync fails for a while, of the log, of the database
// file, or of both; then the disk works, sends are acknowledged again, and the power goes.
// Every acknowledged send is there, and the file is whole.
func TestNothingIsLostAfterTheDiskFailed(t *testing.T) {
	for name, failing := range map[string][]string{"the log": {"-wal"}, "the file": {""}, "both": {"", "-wal"}} {
		t.Run(name, func(t *testing.T) {
			var failures, checkpoints atomic.Int64 // failures that are still to come
			path := diskPath(t)
			d := newDisk(t, path, func(file string) bool {
				for _, f := range failing {
					if f == file && failures.Load() > 0 {
						failures.Add(-1)
						return true
					}
				}
				if file == "" {
					checkpoints.Add(1)
				}
				return false
			})
			store := start(t, d.use(persistence.Config{URL: "sqlite:" + path}), nobody{})
			rooms, people := persistencetest.Populate(t, store, 2, 2)
			var all sync.WaitGroup
			var acked atomic.Int64
			acks := make([]map[string]chat.Sent, 4)
			enough := make(chan struct{})
			for n := range acks {
				acks[n] = map[string]chat.Sent{}
				all.Go(func() {
					for i := 0; ; i++ {
						select {
						case <-enough:
							return
						default:
						}
						key := fmt.Sprint("k", n, "-", i)
						sent, err := sendUntilKnown(t.Context(), t, store, message(rooms[n%2], people[n%2][n/2], key))
						if err != nil {
							t.Errorf("send %s: %v", key, err)
							return
						}
						acks[n][key] = sent
						acked.Add(1)
					}
				})
			}
			more := func(what string) {
				at := acked.Load()
				eventually(t, what, func() bool { return acked.Load() >= at+100 })
			}
			more("sends are stored")
			failures.Store(5)
			eventually(t, "the disk has failed", func() bool { return failures.Load() <= 0 })
			more("sends are stored again")
			at := checkpoints.Load()
			eventually(t, "a checkpoint", func() bool { return checkpoints.Load() > at+1 })
			more("and more")
			close(enough)
			all.Wait()
			back := start(t, persistence.Config{URL: d.cut(t)}, nobody{})
			for room, c := range rooms {
				stored := storedKeys(t, back, c.ID)
				for n := room; n < len(acks); n += 2 {
					for key, sent := range acks[n] {
						if stored[key] != sent.Seq {
							t.Fatalf("%s was acknowledged with seq %d and is stored at %d", key, sent.Seq, stored[key])
						}
					}
				}
			}
		})
	}
}

// TestALogIsKeptAfterAFailure: closing a store whose disk failed leaves the log, which may
// hold the only copy of what a checkpoint seemed to have written. The next start moves it.
func TestALogIsKeptAfterAFailure(t *testing.T) {
	var failing atomic.Bool
	path := diskPath(t)
	d := newDisk(t, path, func(file string) bool { return failing.Load() && file == "" })
	cfg := patient(d.use(persistence.Config{URL: "sqlite:" + path}))
	store, err := persistence.Open(t.Context(), cfg, nobody{}, persistencetest.NewID, quiet()) // nothing runs that would mend it
	if err != nil {
		t.Fatal(err)
	}
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	failing.Store(true)
	if store.Tend(t.Context()) == nil {
		t.Error("the checkpoint did not fail")
	}
	failing.Store(false)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := persistence.BackUpSQLite(t.Context(), path, filepath.Join(t.TempDir(), "backup.db")); err != nil {
		t.Fatal(err)
	}
	if log, err := os.Stat(path + "-wal"); err != nil || log.Size() == 0 {
		t.Errorf("a backup moved the log: %v", err)
	}
	back := start(t, persistence.Config{URL: d.cut(t)}, nobody{})
	if e, err := back.Entry(t.Context(), people[0][0].ID, rooms[0].ID); err != nil || e.MemberCount != 2 {
		t.Errorf("after a power cut: %d members, %v", e.MemberCount, err)
	}
	store = start(t, cfg, nobody{})
	actionable(t, "a send", second(persistencetest.Service(store).Send(t.Context(), message(rooms[0], people[0][0], "k"))))
	if _, err := os.Stat(path + "-wal"); err != nil {
		t.Error(err)
	}
}

// TestNothingIsWrittenToAFailingDisk: until the log is sound nothing is acknowledged and
// the canary fails, reads go on, and when that lasts too long, Run says so.
func TestNothingIsWrittenToAFailingDisk(t *testing.T) {
	var failing atomic.Bool
	path := diskPath(t)
	d := newDisk(t, path, func(string) bool { return failing.Load() })
	cfg := patient(d.use(persistence.Config{URL: "sqlite:" + path, DiskPatience: 2 * time.Second}))
	store, err := persistence.Open(t.Context(), cfg, nobody{}, persistencetest.NewID, quiet())
	if err != nil {
		t.Fatal(err)
	}
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	failing.Store(true)
	if _, err := store.WriteCanary(t.Context(), "node"); err == nil {
		t.Error("the canary lives")
	}
	failing.Store(false) // but nothing has made the log sound yet
	for what, err := range map[string]error{
		"the canary": second(store.WriteCanary(t.Context(), "node")),
		"a change":   second(persistencetest.Service(store).UpdateChat(t.Context(), people[0][0].ID, rooms[0].ID, chat.ChatChange{Name: new("x")})),
	} {
		unavailable(t, what, err)
	}
	ran := make(chan error, 1)
	go func() { ran <- store.Run(context.Background()) }()
	eventually(t, "the disk works again", func() bool { _, err := store.WriteCanary(t.Context(), "node"); return err == nil })

	failing.Store(true)
	select {
	case err = <-ran:
		t.Fatalf("ended before anything was written: %v", err)
	default:
	}
	actionable(t, "a send", second(persistencetest.Service(store).Send(t.Context(), message(rooms[0], people[0][0], "k"))))
	if _, err := store.Entry(t.Context(), people[0][0].ID, rooms[0].ID); err != nil {
		t.Errorf("a read: %v", err)
	}
	select {
	case err = <-ran:
		if err == nil || !strings.Contains(err.Error(), "the disk has failed for 2s") || !strings.Contains(err.Error(), path) {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("goes on for ever with a disk that fails")
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	if _, err := persistence.Open(t.Context(), cfg, nobody{}, persistencetest.NewID, quiet()); err == nil {
		t.Error("opened on a disk that fails")
	}
}

func second[T any](_ T, err error) error { return err }
