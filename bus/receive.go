package bus

import "github.com/nats-io/nats.go"

// receive hands events to the node, one after the other.
func (b *Bus) receive(done <-chan struct{}, node Node) {
	var o overflow
	for {
		select {
		case <-done:
			return
		case m := <-b.inbox:
			if o.over(len(b.inbox)) {
				node.CheckNow()
			}
			b.receiveOne(m, node)
		}
	}
}

// traceOf is empty for what is not followed, and for what a node published that
// knows no traces.
func traceOf(m *nats.Msg) string {
	if len(m.Header) == 0 {
		return ""
	}
	return m.Header.Get(traceHeader)
}

func (b *Bus) receiveOne(m *nats.Msg, node Node) {
	b.counts.received.Add(1)
	if m.Subject == announceSubject {
		node.Announced(m.Data)
		return
	}
	if b.exchange(m, node) {
		return
	}
	if err := node.Receive(m.Data, traceOf(m)); err != nil {
		b.counts.refused.Add(1)
		b.noisy.Do(func() { b.log.Warn("event from the bus refused", "subject", m.Subject, "error", err) })
	}
}
