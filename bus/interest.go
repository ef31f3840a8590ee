package bus

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// flushTimeout is how long a server has to confirm subscriptions.
	flushTimeout = 2 * time.Second
	// lookAgain is how often a connection that is not ready is checked.
	lookAgain = 250 * time.Millisecond
)

// interest is the set of streams that this node wants to hear. Callers only note
// what they want: nats.go holds its lock while it connects, for seconds if
// packets vanish, so only one goroutine talks to it.
type interest struct {
	mu      sync.Mutex
	running bool
	subs    map[string]*nats.Subscription // by stream; nil: not yet asked for
	fresh   map[string]struct{}           // streams not yet asked for
	gone    []*nats.Subscription          // asked for, no longer wanted
	flushes []chan error                  // of the callers that wait
	wake    chan struct{}                 // holds a token when there is work
}

func newInterest() interest {
	return interest{subs: map[string]*nats.Subscription{}, fresh: map[string]struct{}{}, wake: make(chan struct{}, 1)}
}

func (i *interest) want(stream string) {
	if _, ok := i.subs[stream]; !ok {
		i.subs[stream], i.fresh[stream] = nil, struct{}{}
	}
}

func (i *interest) drop(stream string) {
	if sub := i.subs[stream]; sub != nil {
		i.gone = append(i.gone, sub)
	}
	delete(i.subs, stream)
	delete(i.fresh, stream)
}

func (i *interest) poke() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// popWork returns what is to be done, and forgets it.
func (i *interest) popWork() (fresh []string, gone []*nats.Subscription, flushes []chan error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.running = true
	for stream := range i.fresh {
		fresh = append(fresh, stream)
	}
	clear(i.fresh)
	gone, flushes = i.gone, i.flushes
	i.gone, i.flushes = nil, nil
	return fresh, gone, flushes
}

// made stores a subscription, and reports whether it is still wanted.
func (i *interest) made(stream string, sub *nats.Subscription) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if had, ok := i.subs[stream]; !ok || had != nil {
		return false
	}
	i.subs[stream] = sub
	return true
}

// detach forgets the connection: everything wanted has to be asked for again.
func (i *interest) detach() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.running, i.gone = false, nil
	for stream := range i.subs {
		i.subs[stream], i.fresh[stream] = nil, struct{}{}
	}
	for _, f := range i.flushes {
		f <- ErrLost
	}
	i.flushes = nil
	i.poke()
}

func (i *interest) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.subs)
	clear(i.fresh)
}

func (i *interest) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.subs)
}

// flush joins the callers that wait for a flush; one flush serves all.
func (i *interest) flush() (<-chan error, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.running {
		return nil, ErrLost
	}
	f := make(chan error, 1)
	i.flushes = append(i.flushes, f)
	i.poke()
	return f, nil
}

// keepInterest creates, ends and confirms subscriptions until done.
func (b *Bus) keepInterest(done <-chan struct{}, conn *nats.Conn) {
	b.hearNodes(conn)
	b.interest.poke() // for what was wanted before
	var again <-chan time.Time
	for {
		b.apply(conn)
		again = nil
		if !b.link.isReady() {
			again = time.After(lookAgain)
		}
		select {
		case <-done:
			return
		case <-b.interest.wake:
		case <-again:
			b.tellReason(conn)
			if b.link.refusedFor() >= b.appealAfter {
				b.appeal(conn)
			}
		}
	}
}

// appeal reconnects. Its errors mean that a connection is closed or connecting
// anyway.
func (b *Bus) appeal(conn *nats.Conn) {
	b.log.Info("bus is reconnecting: its subscriptions were refused")
	_ = conn.ForceReconnect()
	b.echo.reconnect()
}

// apply does the work, and flushes if a caller waits for it or the connection is
// new.
func (b *Bus) apply(conn *nats.Conn) {
	turn, _, unconfirmed := b.link.state() // before the flush, which confirms this connection
	fresh, gone, flushes := b.interest.popWork()
	for _, stream := range fresh {
		b.subscribe(conn, stream)
	}
	for _, sub := range gone {
		_ = sub.Unsubscribe() // fails when the connection has ended, and the subscription with it
	}
	if len(flushes) == 0 && !unconfirmed {
		return
	}
	err := conn.FlushTimeout(flushTimeout)
	if err == nil {
		b.link.confirmed(turn)
	}
	for _, f := range flushes {
		f <- err
	}
}

func (b *Bus) subscribe(conn *nats.Conn, stream string) {
	sub, err := conn.ChanSubscribe(subject(stream), b.inbox)
	if err != nil { // the connection is closed for good: the next one asks again
		b.noisy.Do(func() { b.log.Warn("bus did not subscribe", "stream", stream, "error", err) })
		return
	}
	if !b.interest.made(stream, sub) {
		_ = sub.Unsubscribe()
	}
}

// Flush waits until the server has accepted all subscriptions: whatever any node
// publishes from then on is received. It returns ErrLost at once while the bus is
// lost, and an error after two seconds or when ctx ends.
func (b *Bus) Flush(ctx context.Context) error {
	if !b.link.isReady() {
		return ErrLost
	}
	flushed, err := b.interest.flush()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	select {
	case err = <-flushed:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("flush bus: %w", err)
	}
	return nil
}
