package bus

import (
	"github.com/nats-io/nats.go"
)

type outgoing struct {
	subject string
	data    []byte
	trace   string
}

// Publish hands data to the other nodes subscribed to stream and returns at
// once. It is not awaited and may be lost: while the bus is lost, when the queue
// is full, or when stream is not an id. Losses are counted. This node does not
// receive what it published. The caller must not change data afterwards. trace
// goes with it in a header; empty: no header.
func (b *Bus) Publish(stream string, data []byte, trace string) {
	if !validStream(stream) {
		b.counts.dropped.Add(1)
		return
	}
	b.enqueue(outgoing{subject(stream), data, trace})
}

// enqueue never waits: a server that takes no bytes would hold the client's
// lock, and with it every sender of this node.
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

// sendRest drops what is left while the bus is lost: each try could wait for a
// server that says nothing.
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

// message has no header at all without a trace: then it is what it always was.
func (o outgoing) message() *nats.Msg {
	m := &nats.Msg{Subject: o.subject, Data: o.data}
	if o.trace != "" {
		m.Header = nats.Header{traceHeader: {o.trace}}
	}
	return m
}

// sendOne drops what cannot be sent: the error is already known to the
// connection's handlers, and the others repair.
func (b *Bus) sendOne(conn *nats.Conn, o outgoing) {
	b.queued.Add(-int64(len(o.data)))
	if err := conn.PublishMsg(o.message()); err != nil {
		b.counts.dropped.Add(1)
		return
	}
	b.counts.published.Add(1)
}
