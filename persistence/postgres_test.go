package persistence_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// TestFailover: a standby takes over under a running store, on a timeline of its
// own. The next look at the positions says so.
func TestFailover(t *testing.T) {
	server := ownServer(t)
	store := start(t, persistence.Config{URL: ownDatabase(t, server)}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	epoch := func() string {
		epoch, _, err := store.Positions(t.Context(), []string{rooms[0].ID})
		if err != nil {
			t.Fatal(err)
		}
		if told, _, err := store.Epoch(t.Context()); err != nil || told != epoch {
			t.Errorf("the epoch is %s and %s, %v", epoch, told, err)
		}
		return epoch
	}
	before := epoch()
	if err := server.Crash(); err != nil {
		t.Fatal(err)
	}
	if err := server.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := epoch(); after != before {
		t.Errorf("a crash made %s of %s", after, before)
	}
	if err := server.Halt(); err != nil {
		t.Fatal(err)
	}
	if err := server.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := epoch()
	parts, changed := strings.Split(before, "."), strings.Split(after, ".")
	if len(parts) != 3 || len(changed) != 3 || parts[0] != changed[0] || parts[1] != changed[1] || parts[2] == changed[2] {
		t.Errorf("a failover made %s of %s, and should change the timeline alone", after, before)
	}
	if a := <-sendLater(store, message(rooms[0], people[0][0], "k")); a.err != nil {
		t.Errorf("a send after the failover: %v", a.err)
	}
}

// TestLostLocksGo: a node that holds a lock and says nothing more loses it, and
// its transaction.
func TestLostLocksGo(t *testing.T) {
	databaseURL := postgresURL(t)
	lost := start(t, persistence.Config{URL: databaseURL, StatementTimeout: 300 * time.Millisecond}, nobody{})
	rooms, people := persistencetest.Populate(t, lost, 1, 2)
	c, ann := rooms[0], people[0][0]
	other := start(t, persistence.Config{URL: databaseURL, LockTimeout: 20 * time.Second}, nobody{})
	locked, free, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- lost.Change(context.Background(), chat.Change{OpID: persistencetest.NewID(), ChatID: c.ID},
			func(ctx context.Context, tx chat.Tx) error {
				close(locked)
				<-free
				_, err := tx.Append(ctx, chat.Event{Op: chat.OpChatUpdated, D: chat.Chat{}})
				return err
			})
	}()
	<-locked
	if a := <-sendLater(other, message(c, ann, "k")); a.err != nil || a.sent.Seq != 4 {
		t.Errorf("sent while a node is lost: %+v, %v, want seq 4", a.sent, a.err)
	}
	close(free)
	unavailable(t, "the transaction of who was lost", <-done)
	if a := <-sendLater(other, message(c, ann, "k2")); a.err != nil || a.sent.Seq != 5 {
		t.Errorf("the next: %+v, %v, want seq 5", a.sent, a.err)
	}
}

// TestHealthHasConnectionsOfItsOwn: with every other connection in use, the
// probes still answer.
func TestHealthHasConnectionsOfItsOwn(t *testing.T) {
	store := start(t, persistence.Config{URL: postgresURL(t), Connections: 2}, nobody{})
	release, err := store.Exhaust(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := store.Ping(ctx); err != nil {
		t.Errorf("ping: %v", err)
	}
	for want := range int64(3) {
		if seq, err := store.CanaryPosition(ctx, "node"); err != nil || seq != want {
			t.Errorf("the canary is at %d, %v, want %d", seq, err, want)
		}
		if seq, err := store.Canary(ctx, "node"); err != nil || seq != want+1 {
			t.Errorf("the canary moved to %d, %v, want %d", seq, err, want+1)
		}
	}
}

// TestLossyServers: a server that would lose what was acknowledged is refused
// with the name of the setting.
func TestLossyServers(t *testing.T) {
	server := ownServer(t)
	databaseURL := ownDatabase(t, server)
	name := databaseURL[strings.Index(databaseURL, "/test")+1 : strings.Index(databaseURL, "?")]
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		for _, value := range []string{"off", "on"} {
			for _, statement := range []string{"ALTER SYSTEM SET " + setting + " = " + value, "SELECT pg_reload_conf()"} {
				if _, err := server.Query(t.Context(), name, statement); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, setting+" is "+value, func() bool {
				rows, err := server.Query(t.Context(), name, "SHOW "+setting)
				return err == nil && len(rows) == 1 && rows[0] == value
			})
			store, err := open(t, databaseURL)
			if value == "on" && err == nil {
				err = store.Close()
			}
			if value == "on" != (err == nil) || err != nil && !strings.Contains(err.Error(), setting+" off") &&
				!strings.Contains(err.Error(), setting+" is off") {
				t.Errorf("%s=%s: %v", setting, value, err)
			}
		}
	}
}
