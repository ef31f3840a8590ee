package app

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fechatter/conform/client"
	"fechatter/persistence/postgrestest"
)

// serveUntilStopped runs a node, and returns its address and what stops it.
func serveUntilStopped(t *testing.T, database string, more ...string) (url string, stop func()) {
	t.Helper()
	in, err := LoadConfig(append([]string{"--database=" + database, "--listen=127.0.0.1:0", "--admin-listen=", "--drain-delay=0s", "--registration=open",
		"--search=bleve:" + t.TempDir()}, more...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Open(t.Context(), in.Config, "test", quiet())
	if err != nil {
		t.Fatal(err)
	}
	return n.URL(), running(t, n)
}

// running runs a node until stop is called or the test ends.
func running(t *testing.T, n *Node) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the node ended: %v", err)
			}
		case <-time.After(2 * stopLimit):
			t.Error("the node does not end")
		}
	})
	t.Cleanup(stop)
	return stop
}

// TestMovedClientsResume moves a deployment from a file to PostgreSQL: its clients come
// back with what they hold, miss nothing, and are not told to read anything again.
func TestMovedClientsResume(t *testing.T) {
	if testing.Short() {
		t.Skip("PostgreSQL is left to the whole suite")
	}
	t.Parallel()
	postgres, err := postgrestest.Start(t.Context())
	if err != nil {
		t.Skip("PostgreSQL is not tested: ", err)
	}
	t.Cleanup(func() {
		if err := postgres.Stop(); err != nil {
			t.Error(err)
		}
	})
	to, err := postgres.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	from := "sqlite:" + t.TempDir() + "/data/fechatter.db"
	url, stop := serveUntilStopped(t, from)
	move := Migrate{From: from, To: to}
	if err := MoveData(t.Context(), move, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "already uses") {
		t.Fatalf("a database in use was moved: %v", err)
	}
	ada, bob := client.SignUp(t, url, "ada"), client.SignUp(t, url, "bob")
	id := ada.Group(bob)
	socket, stream := bob.Fresh(), bob.Stream("")
	stream.Want("ready")
	stream.LastID() // of ready
	epoch := socket.Seen[0].Field(t, "epoch")
	held := ada.Say(id, "held")
	socket.Until("it", func(f client.Frame) bool { return f.Seq == held })
	stream.Until("it", func(f client.Frame) bool { return f.Seq == held })
	token := stream.LastID()
	_ = socket.WS.CloseNow()
	stream.Close()
	key := client.NewKey()
	missed := ada.Ask("POST", "/chats/"+id+"/messages", map[string]any{"body": "missed"}, "Idempotency-Key", key)
	stop()

	var out bytes.Buffer
	if err := MoveData(t.Context(), move, &out, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "messages") || !strings.Contains(out.String(), "2 rows, verified") {
		t.Errorf("printed\n%s", &out)
	}
	out.Reset()
	if err := MoveData(t.Context(), move, &out, io.Discard); err != nil || !strings.Contains(out.String(), "already") {
		t.Errorf("moved twice: %v, printed %s", err, &out)
	}
	url, _ = serveUntilStopped(t, to)
	ada, bob = ada.On(url), bob.On(url) // with their old tokens
	again := ada.Ask("POST", "/chats/"+id+"/messages", map[string]any{"body": "missed"}, "Idempotency-Key", key)
	if again.Status != 200 || !bytes.Equal(again.Body, missed.Body) {
		t.Errorf("a known key: %d %s after %s", again.Status, again.Body, missed.Body)
	}
	want := []int64{held + 1, ada.Say(id, "after the move")}
	back := bob.Connect(map[string]any{"epoch": epoch, "cursors": map[string]any{id: held}})
	ready := back.Want("ready")
	if got := ready.Field(t, "epoch"); got != epoch {
		t.Errorf("the epoch is %v, it was %v", got, epoch)
	}
	followed := bob.Stream(token)
	followed.Want("ready")
	for name, s := range map[string]*client.Socket{"cursors": back, "token": followed.Socket} {
		if got := s.Seqs(id); !slices.Equal(got, want) || slices.ContainsFunc(s.Seen, func(f client.Frame) bool { return f.Op == "reset" }) {
			t.Errorf("%s brought %v, want %v: %s", name, got, want, s.Story())
		}
	}
}

func TestNothingToMove(t *testing.T) {
	dir := t.TempDir()
	err := MoveData(t.Context(), Migrate{From: "sqlite:" + dir + "/none/x.db", To: "sqlite:" + dir + "/y.db"}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "there is no database") {
		t.Errorf("%v", err)
	}
}
