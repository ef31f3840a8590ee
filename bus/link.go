package bus

import (
	"sync"
	"time"
)

// link is what is known of the connection; it tells the node what changes.
type link struct {
	mu    sync.Mutex
	node  Node // nil unless running
	up    bool // connected
	ready bool // and every subscription is in force
	// refused says that the server does not let this node subscribe: what is
	// connected so is as good as lost.
	refused bool
	since   time.Time // refused
	turn    int       // counts connections
}

func (l *link) begin(node Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.node = node
	node.BusLost(true)
}

func (l *link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.node, l.up, l.ready = nil, false, false
}

// came notes a new connection. It is ready when confirmed says so.
func (l *link) came() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up, l.ready, l.refused = true, false, false
	l.turn++
	if !confirmsFirst {
		l.enter()
	}
}

func (l *link) went() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = false
	l.lose()
}

// deny notes that the server refused a subscription. The next connection may
// fare better.
func (l *link) deny() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.refused {
		l.refused, l.since = true, time.Now()
	}
	l.lose()
}

// refusedFor answers for how long the server has refused a subscription; 0: it
// does not.
func (l *link) refusedFor() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.up || !l.refused {
		return 0
	}
	return time.Since(l.since)
}

func (l *link) lose() {
	l.ready = false
	if l.node != nil {
		l.node.BusLost(true)
	}
}

// confirmed notes that everything subscribed before is in force on the
// connection of turn. Only then are positions compared: an event that came to
// the server before the subscription is found by no one else.
func (l *link) confirmed(turn int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if turn != l.turn || !l.up || l.refused || l.ready || l.node == nil {
		return
	}
	l.enter()
}

func (l *link) enter() {
	l.ready = true
	l.node.BusLost(false)
	l.node.CheckNow()
}

// state answers the present connection and whether it waits to be confirmed.
func (l *link) state() (turn int, up, unconfirmed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.turn, l.up, l.up && !l.ready && !l.refused
}

func (l *link) isReady() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ready
}
