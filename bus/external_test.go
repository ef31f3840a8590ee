package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"
)

const portEnv = "FECHATTER_TEST_NATS_PORT"

// TestMain runs this binary as a NATS server when a test starts it as one: a
// process of its own can be stopped, killed and hung.
func TestMain(m *testing.M) {
	if port, err := strconv.Atoi(os.Getenv(portEnv)); err == nil {
		serve(port)
		return
	}
	goleak.VerifyTestMain(m)
}

func serve(port int) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s.Start()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	s.Shutdown()
	s.WaitForShutdown()
}

type process struct {
	url  string
	port int
	cmd  *exec.Cmd
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func startProcess(t *testing.T, port int) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", portEnv, port))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{url: fmt.Sprintf("nats://127.0.0.1:%d", port), port: port, cmd: cmd}
	t.Cleanup(p.kill)
	eventually(t, "nats listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return p
}

// kill may be called twice: the second time there is nothing left to do.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *process) restart(t *testing.T) *process {
	t.Helper()
	p.kill()
	return startProcess(t, p.port)
}

func TestServerRestartIsAGap(t *testing.T) {
	port := freePort(t)
	srv := startProcess(t, port)
	stream, node := uuid.NewString(), &recorder{}
	b := newBus(t, Config{URL: srv.url})
	run(t, b, node)
	connected(t, b)
	if err := b.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	flush(t, b)

	srv.kill()
	eventually(t, "told of the loss", func() bool { lost, _, _ := node.state(); return lost })
	started := time.Now()
	if err := b.Flush(t.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("Flush while lost: %v, want ErrLost", err)
	}
	if err := b.Echo(t.Context(), []byte("x")); !errors.Is(err, ErrLost) {
		t.Errorf("Echo while lost: %v, want ErrLost", err)
	}
	if took := time.Since(started); took > time.Second {
		t.Errorf("calls while lost took %s", took)
	}
	b.Publish(stream, []byte("into the void"), "")
	eventually(t, "dropped", func() bool { return b.Stats().Dropped == 1 })
	late := uuid.NewString()
	if err := b.Subscribe(late); err != nil {
		t.Fatalf("Subscribe while lost: %v", err)
	}
	_, _, before := node.state()

	srv = startProcess(t, port)
	eventually(t, "back, and told to check", func() bool {
		lost, _, checks := node.state()
		return !lost && checks > before
	})
	flush(t, b)
	other := newBus(t, Config{URL: srv.url})
	run(t, other, &recorder{})
	for _, s := range []string{stream, late} {
		other.Publish(s, []byte("again"), "")
	}
	eventually(t, "both streams are subscribed again", func() bool { return node.received() == 2 })
}

func TestServerComesLater(t *testing.T) {
	port := freePort(t)
	stream, node := uuid.NewString(), &recorder{}
	b := newBus(t, Config{URL: fmt.Sprintf("nats://127.0.0.1:%d", port)})
	run(t, b, node)
	eventually(t, "told that there is no bus", func() bool { lost, known, _ := node.state(); return known && lost })
	if err := b.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	srv := startProcess(t, port)
	eventually(t, "told that it is there", func() bool { lost, _, checks := node.state(); return !lost && checks > 0 })
	flush(t, b)
	other := newBus(t, Config{URL: srv.url})
	run(t, other, &recorder{})
	other.Publish(stream, []byte("x"), "")
	eventually(t, "received", func() bool { return node.received() == 1 })
}

// A server that takes no more bytes must cost a sender nothing.
func TestHungServerDoesNotHoldPublish(t *testing.T) {
	srv := startProcess(t, freePort(t))
	node := &recorder{}
	b := newBus(t, Config{URL: srv.url})
	run(t, b, node)
	connected(t, b)
	if err := srv.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	stream, big := uuid.NewString(), bytes.Repeat([]byte("x"), 1<<20)
	var longest time.Duration
	for range 64 {
		started := time.Now()
		b.Publish(stream, big, "")
		longest = max(longest, time.Since(started))
	}
	if longest > 250*time.Millisecond {
		t.Errorf("Publish took %s", longest)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := b.Echo(ctx, []byte("x")); err == nil {
		t.Error("Echo of a hung server succeeded")
	}
	eventually(t, "told of the loss", func() bool { lost, _, _ := node.state(); return lost })
	if err := srv.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "told that it is back", func() bool { lost, _, _ := node.state(); return !lost })
}

// held blocks the first event until it is let go.
type held struct {
	recorder
	enter, leave chan struct{}
}

func (h *held) Receive(data []byte, trace string) error {
	select {
	case h.enter <- struct{}{}:
		<-h.leave
	default:
	}
	return h.recorder.Receive(data, trace)
}

func TestSlowNodeIsToldToCheck(t *testing.T) {
	srv := startProcess(t, freePort(t))
	stream := uuid.NewString()
	node := &held{enter: make(chan struct{}, 1), leave: make(chan struct{})}
	b, other := newBus(t, Config{URL: srv.url}), newBus(t, Config{URL: srv.url})
	run(t, b, node)
	run(t, other, &recorder{})
	connected(t, b)
	connected(t, other)
	if err := b.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	flush(t, b)
	_, _, before := node.state()
	other.Publish(stream, []byte("first"), "")
	<-node.enter
	for i := 0; i < inboxSize+100; {
		// In steps, or the publisher's own queue overflows first.
		for range 1000 {
			other.Publish(stream, []byte("x"), "")
			i++
		}
		echoed(t, other)
	}
	eventually(t, "gap", func() bool { return b.Stats().Gaps > 0 })
	eventually(t, "told to check", func() bool { _, _, checks := node.state(); return checks > before })

	// What was dropped after that is known when the inbox has room again.
	_, _, before = node.state()
	close(node.leave)
	eventually(t, "told to check again", func() bool { _, _, checks := node.state(); return checks > before })
}
