package bus

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
)

// Any of several servers will do, whichever is left.
func TestFailover(t *testing.T) {
	var procs []*process
	var urls []string
	for range 3 {
		p := startProcess(t)
		procs, urls = append(procs, p), append(urls, p.url)
	}
	stream, node := uuid.NewString(), &recorder{}
	b := live(t, Config{URL: strings.Join(urls, ", "), Log: slog.New(slog.NewTextHandler(t.Output(), nil))}, node)
	if err := b.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	for _, left := range []int{1, 2, 0} {
		procs[left] = procs[left].restart(t)
		for i, p := range procs {
			if i != left {
				p.kill()
			}
		}
		// The servers are not a cluster: an event arrives only if both nodes are on
		// the one that is left.
		other := live(t, Config{URL: procs[left].url}, &recorder{})
		had := node.received()
		eventually(t, "received by way of the server that is left", func() bool {
			other.Publish(stream, []byte("x"), "")
			return node.received() > had
		})
		connected(t, b)
	}
	if lost, _, checks := node.state(); lost || checks < 3 || b.Stats().Reconnects < 2 {
		t.Errorf("lost %v, %d checks, %d reconnects", lost, checks, b.Stats().Reconnects)
	}
}

// fakeServer speaks just enough NATS to misbehave: each connection is passed to serve,
// which returns when the connection is closed.
func fakeServer(t *testing.T, serve func(n int, c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			// A client may abandon a connection without closing it.
			context.AfterFunc(t.Context(), func() { c.Close() })
			all.Go(func() { defer c.Close(); serve(n, c) })
		}
	})
	return "nats://" + l.Addr().String()
}

// greet answers until the client's first PING.
func greet(c net.Conn) *bufio.Reader {
	fmt.Fprint(c, `INFO {"server_id":"x","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576}`+"\r\n")
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return r
		}
		if strings.HasPrefix(line, "PING") {
			fmt.Fprint(c, "PONG\r\n")
			return r
		}
	}
}

// nats.go closes a connection for good after an error that it does not know.
func TestConnectionClosedForGoodIsReplaced(t *testing.T) {
	subscribed := make(chan string, 100)
	url := fakeServer(t, func(n int, c net.Conn) {
		r := greet(c)
		if n < 2 { // both connections of the first session
			fmt.Fprint(c, "-ERR 'Maximum Payload Violation'\r\n")
			return
		}
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(line, "PING") {
				fmt.Fprint(c, "PONG\r\n")
			}
			if strings.HasPrefix(line, "SUB") {
				subscribed <- line
			}
		}
	})
	stream, log := uuid.NewString(), &logged{}
	b := newBus(t, Config{URL: url, Log: log.log()})
	if err := b.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	run(t, b, &recorder{})
	eventually(t, "closed for good", func() bool { return log.has("bus connection closed") })
	connected(t, b)
	eventually(t, "subscribed again", func() bool { return strings.Contains(<-subscribed, stream) })
}

// A server whose packets vanish keeps nats.go waiting with its lock held. No caller
// waits with it.
func TestCallsDoNotWaitForASilentServer(t *testing.T) {
	t.Parallel()
	url := fakeServer(t, func(_ int, c net.Conn) {
		_, _ = io.Copy(io.Discard, c)
	})
	b, node := newBus(t, Config{URL: url}), &recorder{}
	run(t, b, node)
	eventually(t, "told of the loss", func() bool { lost, known, _ := node.state(); return known && lost })
	// An attempt takes 2 s: so would each round if its calls waited with nats.go.
	deadline := time.Now().Add(patience)
	for range 400 { // 10 ms each while the first attempts go on
		if time.Now().After(deadline) {
			t.Fatal("calls wait for the server")
		}
		stream := uuid.NewString()
		if err := b.Subscribe(stream); err != nil {
			t.Fatal(err)
		}
		_ = b.Flush(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		_ = b.Echo(ctx, []byte("x"))
		cancel()
		b.Publish(stream, []byte("x"), "")
		b.Unsubscribe(stream)
		b.Stats()
	}
}

// What a server denies is logged, and a node that may not subscribe knows that it
// hears nothing.
func TestForbiddenSubjects(t *testing.T) {
	mute := &server.SubjectPermission{Allow: []string{"_INBOX.>"}}
	all := &server.SubjectPermission{Allow: []string{allSubjects}}
	srv := startInside(t, &server.Options{Users: []*server.User{
		{Username: "deaf", Password: "x", Permissions: &server.Permissions{Publish: all, Subscribe: mute}},
		{Username: "mute", Password: "x", Permissions: &server.Permissions{Publish: mute, Subscribe: all}},
	}})
	for user, lostWant := range map[string]bool{"deaf": true, "mute": false} {
		t.Run(user, func(t *testing.T) {
			log, node := &logged{}, &recorder{}
			b := newBus(t, Config{URL: fmt.Sprintf("nats://%s:x@%s", user, srv.Addr()), Log: log.log()})
			run(t, b, node)
			eventually(t, "reached", func() bool { _, up, _ := b.link.state(); return up })
			stream := uuid.NewString()
			if err := b.Subscribe(stream); err != nil {
				t.Fatal(err)
			}
			b.Publish(stream, []byte("x"), "")
			eventually(t, "logged", func() bool { return log.has("grant it publish and subscribe on fechatter.>") })
			eventually(t, "known", func() bool {
				lost, _, _ := node.state()
				return lost == lostWant && b.Stats().Connected != lostWant
			})
		})
	}
}

// The operator grants the subjects while the node is connected.
func TestPermissionsThatBecomeRight(t *testing.T) {
	with := func(subject string) *server.Options {
		allow := &server.SubjectPermission{Allow: []string{subject}}
		return &server.Options{Users: []*server.User{
			{Username: "chat", Password: "x", Permissions: &server.Permissions{Publish: allow, Subscribe: allow}},
		}}
	}
	srv := startInside(t, with("other.>"))
	stream, node := uuid.NewString(), &recorder{}
	b := newBus(t, Config{URL: fmt.Sprintf("nats://chat:x@%s", srv.Addr()), Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	b.appealAfter = 300 * time.Millisecond
	if err := b.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	run(t, b, node)
	eventually(t, "refused", func() bool { return b.link.refusedFor() > 0 })
	granted := with(allSubjects)
	granted.Host, granted.Port, granted.NoSigs = "127.0.0.1", srv.Addr().(*net.TCPAddr).Port, true
	if err := srv.ReloadOptions(granted); err != nil {
		t.Fatal(err)
	}
	connected(t, b)
	echoed(t, b)
	other := newBus(t, Config{URL: fmt.Sprintf("nats://chat:x@%s", srv.Addr())})
	run(t, other, &recorder{})
	other.Publish(stream, []byte("x"), "")
	eventually(t, "received", func() bool { return node.received() == 1 })
}

// A node whose credentials are refused keeps trying, and connects once they are
// right.
func TestCredentialsThatBecomeRight(t *testing.T) {
	first := startInside(t, &server.Options{Username: "chat", Password: "old"})
	port := first.Addr().(*net.TCPAddr).Port
	log := &logged{}
	b := newBus(t, Config{URL: fmt.Sprintf("nats://chat:new@127.0.0.1:%d", port), Log: log.log()})
	run(t, b, &recorder{})
	eventually(t, "logged", func() bool { return log.has("NATS refuses this node's credentials") })
	stopServer(first)
	startInside(t, &server.Options{Port: port, Username: "chat", Password: "new"})
	connected(t, b)
}

// The node is told that the bus is back, and to check, only when the server has its
// subscriptions: they miss whatever was published before.
func TestBackMeansSubscribed(t *testing.T) {
	release := make(chan struct{})
	url := fakeServer(t, func(_ int, c net.Conn) {
		r := greet(c)
		subs := 0
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			switch {
			case strings.HasPrefix(line, "SUB"):
				subs++
			case strings.HasPrefix(line, "PING"):
				if subs > 0 { // the server is busy
					select {
					case <-release:
					case <-t.Context().Done():
					}
				}
				fmt.Fprint(c, "PONG\r\n")
			}
		}
	})
	b, node := newBus(t, Config{URL: url}), &recorder{}
	if err := b.Subscribe(uuid.NewString()); err != nil {
		t.Fatal(err)
	}
	run(t, b, node)
	eventually(t, "connected", func() bool { _, up, _ := b.link.state(); return up })
	if lost, _, checks := node.state(); !lost || checks > 0 {
		t.Errorf("lost %v, %d checks before the subscriptions are in force", lost, checks)
	}
	close(release)
	eventually(t, "back, and told to check", func() bool { lost, _, checks := node.state(); return !lost && checks > 0 })
}

func TestOverflow(t *testing.T) {
	for name, c := range map[string]struct {
		waiting []int
		over    int // the index at which it ends; -1: never
	}{
		"never full":        {[]int{10, inboxSize - 2, 0}, -1},
		"full and emptied":  {[]int{inboxSize - 1, inboxSize/2 + 1, inboxSize / 2, 3}, 2},
		"full for long":     {[]int{inboxSize - 1, inboxSize - 1, inboxSize - 2}, -1},
		"filled once again": {[]int{inboxSize, inboxSize - 5, inboxSize - 1, 9}, 3},
	} {
		var o overflow
		got := -1
		for i, waiting := range c.waiting {
			if o.over(waiting) {
				got = i
			}
		}
		if got != c.over {
			t.Errorf("%s: over at %d, want %d", name, got, c.over)
		}
	}
}

func TestReasonsAreLoggedOnceInAWhile(t *testing.T) {
	var r reasons
	now := time.Now()
	if !r.news("a", now) || !r.news("b", now) || r.news("a", now.Add(time.Second)) {
		t.Error("not each is logged once")
	}
	for i := range 100 {
		r.news(fmt.Sprint("port ", i), now)
	}
	if len(r.told) != reasonsMost {
		t.Errorf("%d are remembered, want %d", len(r.told), reasonsMost)
	}
	if !r.news("a", now.Add(reasonsEvery)) {
		t.Error("not logged again after a while")
	}
	r.forget()
	if !r.news("a", now.Add(reasonsEvery)) {
		t.Error("not logged again after a connection")
	}
}
