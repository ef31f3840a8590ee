package bus

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// benchBody is an event of a message of some 250 bytes.
func benchBody() []byte { return bytes.Repeat([]byte("x"), 400) }

// benchRing is a keyring that is derived.
func benchRing(b *testing.B) *keyring {
	ring, err := testRing(1).derive()
	if err != nil {
		b.Fatal(err)
	}
	return ring
}

// BenchmarkSeal measures what is added to a send.
func BenchmarkSeal(b *testing.B) {
	ring, body := benchRing(b), benchBody()
	for _, encrypt := range []bool{false, true} {
		b.Run(fmt.Sprint("encrypt=", encrypt), func(b *testing.B) {
			s := newSealer(encrypt)
			if err := s.use(ring); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				s.seal("fechatter.chat.00000000-0000-7000-8000-000000000001", "", body)
			}
		})
	}
}

// BenchmarkOpen measures what is added to a receive.
func BenchmarkOpen(b *testing.B) {
	ring, body := benchRing(b), benchBody()
	for _, encrypt := range []bool{false, true} {
		b.Run(fmt.Sprint("encrypt=", encrypt), func(b *testing.B) {
			s, o := newSealer(encrypt), newOpener([senderSize]byte{})
			if err := s.use(ring); err != nil {
				b.Fatal(err)
			}
			m := &nats.Msg{Subject: "fechatter.chat.00000000-0000-7000-8000-000000000001"}
			b.ReportAllocs()
			for b.Loop() { // sealing included: each message is believed once
				m.Data = s.seal(m.Subject, "", body)
				if _, _, why := o.open(ring, m); why != sound {
					b.Fatal(reasonNames()[why])
				}
			}
		})
	}
}

// BenchmarkPublishReceive measures an event from Publish on one node to Receive on another, with a
// real server between them that shares the machine.
func BenchmarkPublishReceive(b *testing.B) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true})
	if err != nil {
		b.Fatal(err)
	}
	s.Start()
	b.Cleanup(func() { stopServer(s) })
	if !s.ReadyForConnections(patience) {
		b.Fatal("nats is not ready")
	}
	stream, body, node := uuid.NewString(), benchBody(), &recorder{}
	from, to := newBus(b, Config{URL: s.ClientURL()}), newBus(b, Config{URL: s.ClientURL()})
	run(b, from, &recorder{})
	run(b, to, node)
	connected(b, from)
	connected(b, to)
	if err := to.Subscribe(stream); err != nil {
		b.Fatal(err)
	}
	flush(b, to)
	const most = 1000 // on their way at once: less than any queue holds
	sent := 0
	b.ReportAllocs()
	for b.Loop() {
		from.Publish(stream, body, "")
		if sent++; sent%most == 0 {
			eventually(b, "received", func() bool { return node.received() == sent })
		}
	}
	eventually(b, "received", func() bool { return node.received() == sent })
}
