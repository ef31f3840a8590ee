package bus

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// follower records the trace of each event.
type follower struct {
	recorder
	mu     sync.Mutex
	traces []string
}

func (f *follower) Receive(stream string, data []byte, trace string) error {
	f.mu.Lock()
	f.traces = append(f.traces, trace)
	f.mu.Unlock()
	return f.recorder.Receive(stream, data, trace)
}

// A node of the release before reads the same data, and its events carry none: they are hints.
func TestTraceTravelsBesideTheData(t *testing.T) {
	url := startInside(t, &server.Options{}).ClientURL()
	stream, node := uuid.NewString(), &follower{}
	ring := testRing(1)
	ring.Unsigned = true
	here, there := newBus(t, Config{URL: url, Keyring: ring}), newBus(t, Config{URL: url, Keyring: ring})
	if err := there.Subscribe(stream); err != nil {
		t.Fatal(err)
	}
	run(t, here, &recorder{})
	run(t, there, node)
	connected(t, here)
	connected(t, there)
	flush(t, there)
	old, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	heard, err := old.SubscribeSync(subject(stream))
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Flush(); err != nil {
		t.Fatal(err)
	}

	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	here.Publish(stream, []byte("followed"), trace)
	m, err := heard.NextMsgWithContext(t.Context())
	if err != nil || string(m.Data) != "followed" {
		t.Errorf("a node that knows no traces: %v, %v", m, err)
	}
	here.Publish(stream, []byte("alone"), "")
	if m, err = heard.NextMsgWithContext(t.Context()); err != nil || m.Header.Get(traceHeader) != "" {
		t.Errorf("an event that is not traced has a trace: %v, %v", m, err)
	}
	if err := old.Publish(subject(stream), []byte("old")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "two events and a hint", func() bool {
		return node.received() == 2 && there.Stats().Unsigned == 1
	})
	if want := []string{trace, ""}; !slices.Equal(node.traces, want) {
		t.Errorf("traces are %q, want %q", node.traces, want)
	}
}
