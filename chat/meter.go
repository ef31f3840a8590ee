package chat

import "context"

// eventBytes is what an event takes of the database besides the text in it: its row,
// that of the message, and their indexes. It is measured: a message of 100 bytes takes
// 0.9 KB of SQLite.
const eventBytes = 800

// Cost is what an act takes from the limits of the person who does it.
type Cost struct {
	Events int    // that draw from the limit of sends
	Bytes  int    // that it stores
	Join   string // the chat that it joins, or ""
}

// costOf is the cost of an act that appends one event with so many bytes of text.
func costOf(text int) Cost { return Cost{Events: 1, Bytes: eventBytes + text} }

// Meter holds people to their limits. Its methods may be called concurrently, and by
// users and chats that do not exist.
type Meter interface {
	// Charge takes the cost of an act before any of its work is done. Errors:
	// rate_limited, with the time until a retry makes sense, and unavailable; then it
	// has taken nothing.
	Charge(ctx context.Context, userID string, c Cost) error
	// Refund gives back what an act turned out not to use.
	Refund(userID string, c Cost)
	// Settle ends an act that was done, and has caused so many deliveries: one for each
	// event and member of its chat.
	Settle(userID string, c Cost, deliveries int)
}

// unmetered is the meter of those who use the service beside any front end.
type unmetered struct{}

func (unmetered) Charge(context.Context, string, Cost) error { return nil }
func (unmetered) Refund(string, Cost)                        {}
func (unmetered) Settle(string, Cost, int)                   {}

// Metered returns a copy of the service that charges people for what they do.
func (s *Service) Metered(m Meter) *Service {
	metered := *s
	metered.meter = m
	return &metered
}

// charge is called before everything that appends an event to a chat. What nobody
// does, the system's own acts, costs nobody. Nor do events of the personal stream alone:
// whoever has stolen a session must not be able to keep its owner from revoking it.
func (s *Service) charge(ctx context.Context, actorID string, c Cost) error {
	if actorID == "" {
		return nil
	}
	return s.meter.Charge(ctx, actorID, c)
}

// change runs fn in one transaction on the streams that c names. With put it is the only
// way to append an event to a chat besides a send.
func (s *Service) change(ctx context.Context, actorID string, c Change, cost Cost, fn func(context.Context, Tx) error) error {
	c.OpID = s.newID()
	return s.charged(ctx, actorID, cost, fn, func(fn func(context.Context, Tx) error) error {
		return s.store.Change(ctx, c, fn)
	})
}

// charged has run change a chat by fn, and is the place where whoever does it is
// charged: before the transaction, whatever becomes of it. What was not stored is
// given back.
func (s *Service) charged(ctx context.Context, actorID string, cost Cost, fn func(context.Context, Tx) error,
	run func(fn func(context.Context, Tx) error) error) error {
	if err := s.charge(ctx, actorID, cost); err != nil {
		return err
	}
	var did metered
	err := run(func(ctx context.Context, tx Tx) error {
		did = metered{Tx: tx}
		return fn(ctx, &did)
	})
	if actorID == "" || CodeOf(err) == UnknownOutcome {
		return err
	}
	if err != nil || did.events == 0 {
		s.meter.Refund(actorID, Cost{Bytes: cost.Bytes, Join: cost.Join})
		return err
	}
	s.meter.Settle(actorID, cost, did.deliveries)
	return nil
}

// metered counts what a transaction appends to its chat, and how often that is
// delivered.
type metered struct {
	Tx
	events, deliveries int
}

// Append implements EventTx.
func (m *metered) Append(ctx context.Context, e Event) (int64, error) {
	seq, err := m.Tx.Append(ctx, e)
	m.events++
	m.deliveries += m.Members()
	return seq, err
}
