package bus

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// fault handles a complaint of the server or the client while connected.
func (b *Bus) fault(node Node, sub *nats.Subscription, err error) {
	switch {
	case errors.Is(err, nats.ErrSlowConsumer):
		b.counts.gaps.Add(1)
		b.noisy.Do(func() { b.log.Warn("dropped events from the bus: this node is too slow") })
		node.CheckNow()
	case errors.Is(err, nats.ErrPermissionViolation):
		b.forbidden(err)
	case errors.Is(err, nats.ErrMaxSubscriptionsExceeded):
		b.noisy.Do(func() { b.log.Error("NATS limits this node's subscriptions: raise max_subscriptions", "error", err) })
		b.denied()
	case isRefusal(err):
		b.reasons.tell(b.log, err)
	default:
		attrs := []any{"error", err}
		if sub != nil {
			attrs = append(attrs, "subject", sub.Subject)
		}
		b.noisy.Do(func() { b.log.Warn("bus error", attrs...) })
	}
}

// forbidden handles a permissions violation. A node that may not subscribe hears
// nothing, however well it is connected; one that may not publish is still heard
// through the position checks of the others.
func (b *Bus) forbidden(err error) {
	b.noisy.Do(func() {
		b.log.Error("NATS denies this node a subject: grant it publish and subscribe on "+allSubjects, "error", err)
	})
	if strings.Contains(strings.ToLower(err.Error()), "for subscription") {
		b.denied()
	}
}

func (b *Bus) denied() {
	b.link.deny()
	b.interest.poke() // so that it watches a link that is not ready
}

// isRefusal reports whether the server refused this node's credentials.
func isRefusal(err error) bool {
	for _, refusal := range []error{
		nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrAccountAuthExpired, nats.ErrNkeysNotSupported,
	} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// Each reason is logged once in a while, and at most so many of them: attempts are
// frequent, and a text may contain a port that changes every time.
const (
	reasonsEvery = time.Minute
	reasonsMost  = 16
)

// reasons logs why there is no connection.
type reasons struct {
	mu    sync.Mutex
	told  map[string]bool
	since time.Time
}

func (r *reasons) tell(log *slog.Logger, err error) {
	// ErrNoServers is what nats.go makes of all other errors together.
	if err == nil || errors.Is(err, nats.ErrNoServers) || !r.news(err.Error(), time.Now()) {
		return
	}
	if isRefusal(err) {
		log.Error("NATS refuses this node's credentials; retrying", "error", err)
		return
	}
	log.Warn("bus is unreachable; retrying", "error", err)
}

// news reports whether text is to be logged, and remembers it.
func (r *reasons) news(text string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told == nil || now.Sub(r.since) >= reasonsEvery {
		r.told, r.since = map[string]bool{}, now
	}
	if r.told[text] || len(r.told) >= reasonsMost {
		return false
	}
	r.told[text] = true
	return true
}

func (r *reasons) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = nil
}

// tellReason logs why a connection is down. On the first connect, nats.go calls no
// handler for a refusal.
func (b *Bus) tellReason(conn *nats.Conn) {
	if _, up, _ := b.link.state(); !up {
		b.reasons.tell(b.log, conn.LastError())
	}
}
