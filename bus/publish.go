package bus

import (
	"encoding/base64"

	"github.com/nats-io/nats.go"
)

type outgoing struct {
	subject string
	data    []byte
	trace   string
}

// Publish sends data to the other nodes subscribed to stream and returns at once.
// Nothing awaits it and it may be lost: while the bus is lost, when the queue is
// full, or when stream is not an id. Losses are counted. This node does not
// receive what it publishes. The caller must not change data afterwards. A trace
// that is not empty goes with it in a header, signed like data.
func (b *Bus) Publish(stream string, data []byte, trace string) {
	if !validStream(stream) {
		b.counts.dropped.Add(1)
		return
	}
	b.enqueue(outgoing{subject(stream), data, trace})
}

// enqueue never waits: a server that accepts no bytes makes the client hold its
// lock, which would stop every sender of this node.
func (b *Bus) enqueue(o outgoing) {
	size := int64(len(o.data))
	if b.queued.Add(size) > outboxBytes {
		b.queued.Add(-size)
		b.counts.dropped.Add(1)
		return
	}
	select {
	case b.outbox <- o:
	default:
		b.queued.Add(-size)
		b.counts.dropped.Add(1)
	}
}

func (b *Bus) send(done <-chan struct{}, conn *nats.Conn) {
	for {
		select {
		case o := <-b.outbox:
			b.sendOne(conn, o)
		case <-done:
			b.sendRest(conn)
			return
		}
	}
}

// sendRest sends what is left, or drops it while the bus is lost: each attempt
// could wait for a silent server.
func (b *Bus) sendRest(conn *nats.Conn) {
	for {
		select {
		case o := <-b.outbox:
			if b.link.isReady() {
				b.sendOne(conn, o)
				continue
			}
			b.queued.Add(-int64(len(o.data)))
			b.counts.dropped.Add(1)
		default:
			return
		}
	}
}

// sendOne drops what cannot be sent: the connection's handlers already know the
// error, and the other nodes repair.
func (b *Bus) sendOne(conn *nats.Conn, o outgoing) {
	b.queued.Add(-int64(len(o.data)))
	if err := b.publish(conn, o); err != nil {
		b.counts.dropped.Add(1)
		return
	}
	b.counts.published.Add(1)
}

// publish seals and sends. The connection copies what it is given, so the sealer's memory can
// be used again.
func (b *Bus) publish(conn *nats.Conn, o outgoing) error {
	keys := b.keys.Load()
	if err := b.sealer.use(keys); err != nil {
		return err
	}
	if keys.unsigned && !b.cfg.Encrypt {
		return conn.PublishMsg(b.sealer.readable(o))
	}
	frame := b.sealer.seal(o.subject, o.trace, o.data)
	if o.trace == "" {
		return conn.Publish(o.subject, frame)
	}
	return conn.PublishMsg(&nats.Msg{Subject: o.subject, Data: frame, Header: nats.Header{traceHeader: {o.trace}}})
}

// readable returns a signed message as a node reads it that does not know signatures.
func (s *sealer) readable(o outgoing) *nats.Msg {
	m := &nats.Msg{Subject: o.subject, Data: o.data, Header: nats.Header{
		sealHeader: {base64.StdEncoding.EncodeToString(s.beside(o.subject, o.trace, o.data))},
	}}
	if o.trace != "" {
		m.Header[traceHeader] = []string{o.trace}
	}
	return m
}
