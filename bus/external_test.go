package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
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

// serve runs a server until it is killed, and prints its port: a free one if port
// is -1. It waits for a port that another process has taken for a moment.
func serve(port int) {
	for {
		s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go s.Start()
		if s.ReadyForConnections(5 * time.Second) {
			fmt.Println(s.Addr().(*net.TCPAddr).Port)
			select {}
		}
		s.Shutdown()
	}
}

type process struct {
	url  string
	port int
	cmd  *exec.Cmd
}

func startProcess(t *testing.T) *process { return startAt(t, server.RANDOM_PORT) }

func startAt(t *testing.T, port int) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", portEnv, port))
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	if _, err := fmt.Fscan(out, &p.port); err != nil {
		t.Fatalf("nats does not listen: %v", err)
	}
	p.url = fmt.Sprintf("nats://127.0.0.1:%d", p.port)
	return p
}

// kill may be called twice: the second call has nothing left to do.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *process) restart(t *testing.T) *process {
	t.Helper()
	p.kill()
	return startAt(t, p.port)
}

func TestServerRestartIsAGap(t *testing.T) {
	srv := startProcess(t)
	stream, node := uuid.NewString(), &recorder{}
	b := live(t, Config{URL: srv.url}, node)
	if err := b.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	flush(t, b)

	srv.kill()
	eventually(t, "told of the loss", func() bool { lost, _, _ := node.state(); return lost })
	if err := b.Flush(t.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("Flush while lost: %v, want ErrLost", err)
	}
	if err := b.Echo(t.Context(), []byte("x")); !errors.Is(err, ErrLost) {
		t.Errorf("Echo while lost: %v, want ErrLost", err)
	}
	b.Publish(stream, []byte("into the void"), "")
	eventually(t, "dropped", func() bool { return b.Stats().Dropped == 1 })
	late := uuid.NewString()
	if err := b.Subscribe(late); err != nil {
		t.Fatalf("Subscribe while lost: %v", err)
	}
	_, _, before := node.state()

	srv = srv.restart(t)
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
	srv := startProcess(t)
	srv.kill() // nobody else is likely to get its port
	stream, node := uuid.NewString(), &recorder{}
	b := newBus(t, Config{URL: srv.url})
	run(t, b, node)
	eventually(t, "told of the loss", func() bool { lost, known, _ := node.state(); return known && lost })
	if err := b.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	srv = srv.restart(t)
	eventually(t, "told that the bus is there", func() bool { lost, _, checks := node.state(); return !lost && checks > 0 })
	flush(t, b)
	other := newBus(t, Config{URL: srv.url})
	run(t, other, &recorder{})
	other.Publish(stream, []byte("x"), "")
	eventually(t, "received", func() bool { return node.received() == 1 })
}

// A server that accepts no more bytes costs a sender nothing.
func TestHungServerDoesNotHoldPublish(t *testing.T) {
	t.Parallel()
	srv := startProcess(t)
	node := &recorder{}
	b := live(t, Config{URL: srv.url}, node)
	signal := func(what os.Signal) {
		t.Helper()
		if err := srv.cmd.Process.Signal(what); err != nil {
			t.Fatal(err)
		}
	}
	back := func() {
		t.Helper()
		signal(syscall.SIGCONT)
		eventually(t, "told that the bus is back", func() bool { lost, _, _ := node.state(); return !lost })
	}
	stream, big := uuid.NewString(), bytes.Repeat([]byte("x"), 1<<20)
	// A sender that waits for the server waits until the bus is lost, each time. Once or
	// twice the machine may stand still for as long.
	for tries := 1; ; tries++ {
		signal(syscall.SIGSTOP)
		for range 64 {
			b.Publish(stream, big, "")
		}
		if lost, _, _ := node.state(); !lost {
			break
		}
		if tries == 5 {
			t.Fatal("Publish waited for the server")
		}
		back()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := b.Echo(ctx, []byte("x")); err == nil {
		t.Error("Echo of a hung server succeeded")
	}
	eventually(t, "told of the loss", func() bool { lost, _, _ := node.state(); return lost })
	back()
}

// held blocks the first event until it is released.
type held struct {
	recorder
	enter, leave chan struct{}
}

func (h *held) Receive(stream string, data []byte, trace string) error {
	select {
	case h.enter <- struct{}{}:
		<-h.leave
	default:
	}
	return h.recorder.Receive(stream, data, trace)
}

func TestSlowNodeIsToldToCheck(t *testing.T) {
	url := startInside(t, &server.Options{}).ClientURL()
	stream := uuid.NewString()
	node := &held{enter: make(chan struct{}, 1), leave: make(chan struct{})}
	b, other := live(t, Config{URL: url}, node), live(t, Config{URL: url}, &recorder{})
	if err := b.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	flush(t, b)
	_, _, before := node.state()
	other.Publish(stream, []byte("first"), "")
	<-node.enter
	for i := 0; i < inboxSize+100; {
		// In steps, or the publisher's own queue would overflow first.
		for range 1000 {
			other.Publish(stream, []byte("x"), "")
			i++
		}
		echoed(t, other)
	}
	eventually(t, "gap", func() bool { return b.Stats().Gaps > 0 })
	eventually(t, "told to check", func() bool { _, _, checks := node.state(); return checks > before })

	// Later drops are noticed when the inbox has room again.
	_, _, before = node.state()
	close(node.leave)
	eventually(t, "told to check again", func() bool { _, _, checks := node.state(); return checks > before })
}
