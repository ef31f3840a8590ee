package bus

import "github.com/nats-io/nats.go"

// Announce sends data to Node.Announced of every other node, on the terms of
// Publish: it returns at once, and data may be lost.
func (b *Bus) Announce(data []byte) { b.enqueue(outgoing{subject: announceSubject, data: data}) }

// hearNodes subscribes, once per connection, to what nodes tell each other apart
// from events; nats.go keeps the subscriptions across reconnects.
func (b *Bus) hearNodes(conn *nats.Conn) {
	for _, subject := range []string{announceSubject, askSubject + ">", answerSubject + b.questions.self + "*"} {
		if _, err := conn.ChanSubscribe(subject, b.inbox); err != nil { // closed for good: the next connection subscribes
			b.noisy.Do(func() { b.log.Warn("bus did not subscribe", "subject", subject, "error", err) })
		}
	}
}
