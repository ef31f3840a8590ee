package bus

import (
	"github.com/nats-io/nats.go"
)

// overflow notices when an inbox that was full, and may have dropped events, has
// room again. nats.go reports only the first drop of a subscription: later ones
// would be missed until the next regular check.
type overflow struct{ full bool }

// over notes how many events are still waiting after one was received, and
// reports whether an overflow has ended.
func (o *overflow) over(waiting int) bool {
	if waiting >= inboxSize-1 {
		o.full = true
		return false
	}
	if !o.full || waiting > inboxSize/2 {
		return false
	}
	o.full = false
	return true
}

// receive hands events to the node, one at a time.
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

// receiveOne hands a message to the node if it is believed.
func (b *Bus) receiveOne(m *nats.Msg, node Node) {
	b.counts.received.Add(1)
	k, id := kindOf(m.Subject)
	keys := b.keys.Load()
	body, trace, why := b.opener.open(keys, m)
	switch {
	case why == sound:
		b.dispatch(k, id, body, trace, node)
	case why == unsigned && keys.unsigned && (k == kindEvent || k == kindAnnouncement):
		b.counts.unsigned.Add(1)
		b.hint(k, id, body, node)
	default:
		b.reject(k, why, m.Subject)
	}
}

// dispatch hands a message that is believed to whom it concerns.
func (b *Bus) dispatch(k kind, id string, body []byte, trace string, node Node) {
	switch k {
	case kindEvent:
		b.unreadable(id, node.Receive(id, body, trace))
	case kindAnnouncement:
		node.Announced(body)
	case kindQuestion:
		node.Asked(body, func(data []byte) { b.enqueue(outgoing{subject: answerSubject + id, data: data}) })
	case kindAnswer:
		b.questions.answered(id, body)
	}
}

// hint uses what a node that does not sign has sent, as far as no harm can come of it: an event
// only shows that there may be something to read, and an announcement has people looked at who
// would be looked at soon anyway.
func (b *Bus) hint(k kind, id string, body []byte, node Node) {
	if k == kindAnnouncement {
		node.Announced(body)
		return
	}
	b.unreadable(id, node.Hinted(id, body))
}

func (b *Bus) unreadable(stream string, err error) {
	if err != nil {
		b.counts.refused.Add(1)
		b.noisy.Do(func() { b.log.Warn("event from the bus refused", "stream", stream, "error", err) })
	}
}
