package server

import (
	"context"
	"time"

	"fechatter/chat"
)

// How often one person may join one chat: whoever joins and leaves without end writes
// two events each time, and 500 of them make the others' next resume a reset.
const (
	joinBurst = 4
	joinEvery = 10 * time.Minute
)

// deliveriesAhead is for how many seconds somebody may cause deliveries at once.
const deliveriesAhead = 5

// meter charges people for what they do, over REST and all connections of this node.
// It is the chat.Meter of a server.
type meter struct{ server *Server }

// Charge implements chat.Meter.
func (m meter) Charge(ctx context.Context, userID string, c chat.Cost) error {
	r := &m.server.rates
	if err := r.deliveries.owed(userID); err != nil {
		return err
	}
	if err := r.sends.chargeMany(userID, c.Events); err != nil {
		return err
	}
	err := m.chargeJoin(userID, c)
	if err == nil {
		if err = m.server.usage.charge(ctx, userID, int64(c.Bytes)); err != nil {
			m.refundJoin(userID, c)
		}
	}
	if err != nil {
		r.sends.refundMany(userID, c.Events)
	}
	return err
}

// Refund implements chat.Meter.
func (m meter) Refund(userID string, c chat.Cost) {
	m.server.rates.sends.refundMany(userID, c.Events)
	m.refundJoin(userID, c)
	m.server.usage.refund(userID, int64(c.Bytes))
}

// Settle implements chat.Meter. How many members a chat has is known only now, so that
// somebody may come to owe deliveries: then their next act waits.
func (m meter) Settle(userID string, c chat.Cost, deliveries int) {
	m.server.rates.deliveries.debit(userID, deliveries)
	m.server.caused.bytes.Add(int64(c.Bytes))
	m.server.caused.deliveries.Add(int64(deliveries))
}

func (m meter) chargeJoin(userID string, c chat.Cost) error {
	if c.Join == "" {
		return nil
	}
	return m.server.rates.joins.charge(userID + " " + c.Join)
}

func (m meter) refundJoin(userID string, c chat.Cost) {
	if c.Join != "" {
		m.server.rates.joins.refund(userID + " " + c.Join)
	}
}
