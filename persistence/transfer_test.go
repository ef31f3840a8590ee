package persistence_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// filled makes a world in a file and returns it with its view. Nobody uses the file.
func filled(t *testing.T) (databaseURL string, w world, looks any) {
	t.Helper()
	databaseURL = sqliteURL(t)
	t.Run("build", func(t *testing.T) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		w = build(t, store)
		looks = view(t, store, w)
	})
	return databaseURL, w, looks
}

func transfer(t *testing.T, from, to string, progress func(persistence.Transferred)) error {
	t.Helper()
	if progress == nil {
		progress = func(persistence.Transferred) {}
	}
	return persistence.Transfer(t.Context(), persistence.Config{URL: from}, persistence.Config{URL: to}, persistencetest.NewID, quiet(), progress)
}

// TestTransfer moves a world to PostgreSQL and back: it looks the same, and works on.
func TestTransfer(t *testing.T) {
	first, w, want := filled(t)
	from := first
	for _, to := range []string{postgresURL(t), sqliteURL(t)} {
		verified := map[string]bool{}
		if err := transfer(t, from, to, func(p persistence.Transferred) { verified[p.Table] = p.Verified && p.Rows == p.Of }); err != nil {
			t.Fatal(err)
		}
		for table, ok := range verified {
			if !ok {
				t.Errorf("%s is not verified", table)
			}
		}
		if want := len(persistence.TransferTables()); len(verified) != want {
			t.Errorf("the progress names %d tables, want %d", len(verified), want)
		}
		t.Run("moved to "+to[:6], func(t *testing.T) {
			store := start(t, persistence.Config{URL: to}, nobody{})
			if diff := cmp.Diff(want, view(t, store, w)); diff != "" {
				t.Fatalf("it looks different: %.2000s", diff)
			}
			goOn(t, store, w)
			want = view(t, store, w)
		})
		from = to
	}
}

// goOn replays what was sent before, and sends more.
func goOn(t *testing.T, store *persistence.Store, w world) {
	t.Helper()
	svc, ctx := persistencetest.Service(store), context.Background()
	if _, created, err := svc.CreateChat(ctx, w.users[0].ID, w.create); err != nil || created {
		t.Errorf("the chat of a known key: created %v, %v", created, err)
	}
	for _, send := range w.sends {
		if sent, err := svc.Send(ctx, send); err != nil || !sent.Replayed {
			t.Errorf("a known key: %+v, %v", sent, err)
		}
	}
	last := check[chat.Entry](t)(svc.Entry(ctx, w.users[0].ID, w.chats[0])).LastSeq
	more := chat.Send{ChatID: w.chats[0], SenderID: w.users[1].ID, Key: persistencetest.NewID(), Body: "more @ann"}
	if sent := check[chat.Sent](t)(svc.Send(ctx, more)); sent.Seq != last+1 || sent.Replayed {
		t.Errorf("the next message: %+v after %d", sent, last)
	}
	check[chat.Login](t)(svc.LogIn(ctx, "ann", "a good password", "again"))
}

// TestTransferredHistoryKeepsItsName: clients know the target by the source's epoch,
// until a backup is restored there; the source is another history from then on.
func TestTransferredHistoryKeepsItsName(t *testing.T) {
	from, _, looks := filled(t)
	told := looks.(map[string]any)["epoch"].(string)
	to := postgresURL(t)
	if err := transfer(t, from, to, nil); err != nil {
		t.Fatal(err)
	}
	epoch := func(databaseURL string, renew bool) (e string) {
		store, err := open(t, databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		if renew {
			if err := store.RenewEpoch(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		e, _, err = store.Epoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if got := epoch(to, false); got != told {
		t.Errorf("the target's epoch is %s, the source's was %s", got, told)
	}
	if got := epoch(from, false); got == told {
		t.Error("the source still has its epoch")
	}
	if got := epoch(to, true); got == told {
		t.Error("another history has the same epoch")
	}
}

// TestTransferredHorizon: a horizon that was read before a transfer leads back to the
// same place after it.
func TestTransferredHorizon(t *testing.T) {
	from, w, _ := filled(t)
	ann, c, sends := w.users[0].ID, w.chats[0], 0
	resume := func(t *testing.T, databaseURL string, at chat.Horizon, want map[string]int64) (chat.Horizon, map[string]int64) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		sends++
		more := chat.Send{ChatID: c, SenderID: ann, Key: persistencetest.NewID(), Body: "more"}
		check[chat.Sent](t)(persistencetest.Service(store).Send(t.Context(), more))
		if got := check[map[string]int64](t)(store.CursorsAt(t.Context(), ann, at)); sends > 1 && !maps.Equal(got, want) {
			t.Errorf("the cursors are %v, want %v", got, want)
		}
		last, at, err := store.LastSeqs(t.Context(), ann)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "a horizon of all that was read", func() bool {
			_, at, err = store.LastSeqs(t.Context(), ann)
			return err == nil && maps.Equal(last, check[map[string]int64](t)(store.CursorsAt(t.Context(), ann, at)))
		})
		return at, last
	}
	var at chat.Horizon
	var last map[string]int64
	t.Run("source", func(t *testing.T) { at, last = resume(t, from, 0, nil) })
	for _, to := range []string{postgresURL(t), sqliteURL(t)} {
		if err := transfer(t, from, to, nil); err != nil {
			t.Fatal(err)
		}
		t.Run("moved to "+to[:6], func(t *testing.T) { at, last = resume(t, to, at, last) })
		from = to
	}
}

// TestTransferInterrupted: a transfer that is interrupted leaves the target empty and
// the source as it was; the next one succeeds.
func TestTransferInterrupted(t *testing.T) {
	from, w, want := filled(t)
	for _, to := range []string{postgresURL(t), sqliteURL(t)} {
		ctx, cancel := context.WithCancel(t.Context())
		err := persistence.Transfer(ctx, persistence.Config{URL: from}, persistence.Config{URL: to}, persistencetest.NewID, quiet(),
			func(p persistence.Transferred) {
				if p.Table == "events" {
					cancel()
				}
			})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted: %v", err)
		}
		cancel()
		for _, table := range []string{"users", "messages", "events", "meta WHERE name IN ('epoch', 'secret')", "streams"} {
			var rows int
			if err := raw(t, to).QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows); err != nil || rows != 0 {
				t.Errorf("%d rows in %s, %v", rows, table, err)
			}
		}
	}
	to := sqliteURL(t)
	if err := transfer(t, from, to, nil); err != nil {
		t.Fatal(err)
	}
	t.Run("then whole", func(t *testing.T) {
		if diff := cmp.Diff(want, view(t, start(t, persistence.Config{URL: to}, nobody{}), w)); diff != "" {
			t.Errorf("it looks different: %.2000s", diff)
		}
	})
}

// TestTransferEndsHalfway: the target's commit fails after the source has its new epoch, so
// that both never have the same. The next transfer succeeds, one more says that nothing is
// left to do, and none does once the source was used again.
func TestTransferEndsHalfway(t *testing.T) {
	from, _, looks := filled(t)
	path := diskPath(t)
	var failing atomic.Bool
	d := newDisk(t, path, func(file string) bool { return failing.Load() && file == "-wal" })
	to := "sqlite:" + path
	again := func(progress func(persistence.Transferred)) error {
		return persistence.Transfer(t.Context(), persistence.Config{URL: from}, d.use(persistence.Config{URL: to}), persistencetest.NewID, quiet(), progress)
	}
	epoch := func(url string) string {
		t.Helper()
		store := check[*persistence.Store](t)(open(t, url))
		defer store.Close()
		e, _, err := store.Epoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	err := again(func(persistence.Transferred) { failing.Store(true) })
	if err == nil || !strings.Contains(err.Error(), "commit") {
		t.Fatalf("the commit failed: %v", err)
	}
	failing.Store(false)
	if e := epoch(from); e == looks.(map[string]any)["epoch"] {
		t.Error("the target may be complete, and the source still has its epoch")
	}
	err = again(func(persistence.Transferred) {})
	if err != nil && !errors.Is(err, persistence.ErrTransferred) { // a commit whose fsync failed may be found in the log
		t.Fatal(err)
	}
	if err := again(func(persistence.Transferred) {}); !errors.Is(err, persistence.ErrTransferred) {
		t.Errorf("once more: %v", err)
	}
	if epoch(from) == epoch(to) {
		t.Error("both have the same epoch")
	}
	used := check[*persistence.Store](t)(open(t, from))
	check[int64](t)(used.WriteCanary(t.Context(), persistencetest.NewID()))
	if err := used.Close(); err != nil {
		t.Fatal(err)
	}
	if err := again(func(persistence.Transferred) {}); err == nil || errors.Is(err, persistence.ErrTransferred) {
		t.Errorf("after the source was used: %v", err)
	}
}

// TestTransferIsVerified: a target that does not keep what it was sent is detected.
func TestTransferIsVerified(t *testing.T) {
	from, _, _ := filled(t)
	for name, trigger := range map[string]string{
		"changed": "CREATE TRIGGER bad AFTER INSERT ON messages WHEN new.seq = 5 BEGIN UPDATE messages SET body = body || '.' WHERE id = new.id; END",
		"lost":    "CREATE TRIGGER bad AFTER INSERT ON events WHEN new.seq = 5 BEGIN DELETE FROM events WHERE stream_id = new.stream_id AND seq = 5; END",
		"doubled": "CREATE TRIGGER bad AFTER INSERT ON mentions BEGIN INSERT OR IGNORE INTO mentions VALUES (new.user_id, new.chat_id, 1000); END",
	} {
		to := sqliteURL(t)
		store, err := open(t, to)
		if err != nil {
			t.Fatal(err)
		}
		store.Close()
		execRaw(t, raw(t, to), trigger)
		if err := transfer(t, from, to, nil); err == nil || !strings.Contains(err.Error(), "what arrived differs from what was sent") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTransferKeepsNodesOut: a node that starts on either database meanwhile waits,
// and finds the database complete.
func TestTransferKeepsNodesOut(t *testing.T) {
	from, w, want := filled(t)
	first, to := postgresURL(t), postgresURL(t)
	if err := transfer(t, from, first, nil); err != nil {
		t.Fatal(err)
	}
	tried := false
	err := transfer(t, first, to, func(p persistence.Transferred) {
		if tried {
			return
		}
		tried = true
		for _, database := range []string{first, to} {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			store, err := persistence.Open(ctx, persistence.Config{URL: database}, nobody{}, persistencetest.NewID, quiet())
			cancel()
			if err == nil {
				store.Close()
				t.Error("a node started during a transfer")
			}
		}
	})
	if err != nil || !tried {
		t.Fatal(tried, err)
	}
	t.Run("then whole", func(t *testing.T) {
		if diff := cmp.Diff(want, view(t, start(t, persistence.Config{URL: to}, nobody{}), w)); diff != "" {
			t.Errorf("it looks different: %.2000s", diff)
		}
	})
}

func TestTransferRefuses(t *testing.T) {
	from, _, _ := filled(t)
	full, _, _ := filled(t)
	says := func(what, from, to, want string) {
		t.Helper()
		if err := transfer(t, from, to, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	says("a target with data", from, full, "not empty")
	missing := filepath.Join(t.TempDir(), "none.db")
	says("no source", "sqlite:"+missing, sqliteURL(t), "no file")
	if _, err := os.Stat(missing); err == nil {
		t.Error("the missing source was created")
	}
	says("one database", from, from, "the same")
	says("another kind", "mysql://x", sqliteURL(t), "neither")

	t.Run("nodes at work", func(t *testing.T) {
		busy := postgresURL(t)
		store := start(t, persistence.Config{URL: busy}, nobody{})
		if err := store.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		says("a target in use", from, busy, "stop them")
		says("a source in use", busy, sqliteURL(t), "stop them")
	})
	old := sqliteURL(t)
	store, err := open(t, old)
	if err != nil {
		t.Fatal(err)
	}
	store.Close()
	execRaw(t, raw(t, old), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (201, 1)")
	says("a source of another version", old, sqliteURL(t), "version 201")
	says("a target of another version", from, old, "version 201")
	unknown := sqliteURL(t)
	if store, err = open(t, unknown); err != nil {
		t.Fatal(err)
	}
	store.Close()
	execRaw(t, raw(t, unknown), "CREATE TABLE more (id TEXT)")
	says("an unknown table", unknown, sqliteURL(t), "more")
}
