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

// TestFailover: a standby takes over under a running store, on a timeline of its own.
// The next positions have another epoch.
func TestFailover(t *testing.T) {
	server, databaseURL := fragile(t)
	store := start(t, persistence.Config{URL: databaseURL}, nobody{})
	rooms, people := persistencetest.Populate(t, store, 1, 2)
	epoch := func() string {
		epoch, _, err := store.Positions(t.Context(), []string{rooms[0].ID})
		if err != nil {
			t.Fatal(err)
		}
		if again, _, err := store.Epoch(t.Context()); err != nil || again != epoch {
			t.Errorf("the epoch is %s and %s, %v", epoch, again, err)
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
		t.Errorf("a crash changed the epoch from %[2]s to %[1]s", after, before)
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
		t.Errorf("a failover changed the epoch from %[2]s to %[1]s; it should change only the timeline", after, before)
	}
	if a := <-sendLater(store, message(rooms[0], people[0][0], "k")); a.err != nil {
		t.Errorf("a send after the failover: %v", a.err)
	}
}

// TestSilentNodeLosesItsLock: a node that holds a lock and falls silent loses the lock
// and its transaction.
func TestSilentNodeLosesItsLock(t *testing.T) {
	databaseURL := postgresURL(t)
	lost := start(t, persistence.Config{URL: databaseURL, StatementTimeout: time.Second}, nobody{})
	other := start(t, persistence.Config{URL: databaseURL}, nobody{})
	rooms, people := persistencetest.Populate(t, other, 1, 2)
	c, ann := rooms[0], people[0][0]
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
	select {
	case <-locked:
	case err := <-done:
		t.Fatal("the node did not get the lock: ", err)
	}
	if a := <-sendLater(other, message(c, ann, "k")); a.err != nil || a.sent.Seq != 4 {
		t.Errorf("sent while a node is lost: %+v, %v, want seq 4", a.sent, a.err)
	}
	close(free)
	unavailable(t, "the transaction of the lost node", <-done)
	if a := <-sendLater(other, message(c, ann, "k2")); a.err != nil || a.sent.Seq != 5 {
		t.Errorf("the next: %+v, %v, want seq 5", a.sent, a.err)
	}
}

// TestHealthHasItsOwnConnections: the probes still answer while every other connection
// is in use.
func TestHealthHasItsOwnConnections(t *testing.T) {
	store := start(t, persistence.Config{URL: postgresURL(t), Connections: 2}, nobody{})
	release, err := store.Exhaust(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := store.Ping(ctx); err != nil {
		t.Errorf("ping: %v", err)
	}
	for want := range int64(3) {
		if seq, err := store.ReadCanary(ctx, "node"); err != nil || seq != want {
			t.Errorf("the canary is at %d, %v, want %d", seq, err, want)
		}
		if seq, err := store.WriteCanary(ctx, "node"); err != nil || seq != want+1 {
			t.Errorf("the canary moved to %d, %v, want %d", seq, err, want+1)
		}
	}
}

// TestLossyServers: a server that would lose what was acknowledged is refused, and the
// error names the setting.
func TestLossyServers(t *testing.T) {
	databaseURL := postgresURL(t)
	db := raw(t, databaseURL)
	t.Cleanup(func() {
		execRaw(t, db, "ALTER SYSTEM RESET ALL")
		execRaw(t, db, "SELECT pg_reload_conf()")
	})
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		for _, value := range []string{"off", "on"} {
			execRaw(t, db, "ALTER SYSTEM SET "+setting+" = "+value)
			execRaw(t, db, "SELECT pg_reload_conf()")
			eventually(t, setting+" is "+value, func() bool {
				var now string
				return db.QueryRowContext(t.Context(), "SHOW "+setting).Scan(&now) == nil && now == value
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

// TestLossySettingsAreRefused: among them that PostgreSQL goes on after a failed fsync.
func TestLossySettingsAreRefused(t *testing.T) {
	for _, ok := range [][4]string{{"on", "on", "on", "off"}, {"on", "on", "remote_apply", "off"}} {
		if err := persistence.CheckDurability(ok[0], ok[1], ok[2], ok[3]); err != nil {
			t.Errorf("%v: %v", ok, err)
		}
	}
	for _, lossy := range [][4]string{{"off", "on", "on", "off"}, {"on", "off", "on", "off"}, {"on", "on", "off", "off"},
		{"on", "on", "local", "off"}, {"on", "on", "remote_write", "off"}, {"on", "on", "on", "on"}} {
		if persistence.CheckDurability(lossy[0], lossy[1], lossy[2], lossy[3]) == nil {
			t.Errorf("%v: accepted", lossy)
		}
	}
}
