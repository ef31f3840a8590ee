package bus

import (
	"sync"
	"time"
)

// link is the state of the connection; it tells the node of changes.
type link struct {
	mu    sync.Mutex
	node  Node // nil unless running
	up    bool // connected
	ready bool // and every subscription is in force
	// refused: the server does not let this node subscribe. Such a connection is as
	// good as lost.
	refused bool
	since   time.Time // when it was refused
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

// came notes a new connection, which becomes ready when it is confirmed.
func (l *link) came() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up, l.ready, l.refused = true, false, false
	l.turn++
}

func (l *link) went() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = false
	l.lose()
}

// deny notes that the server refused a subscription. The next connection may fare
// better.
func (l *link) deny() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.refused {
		l.refused, l.since = true, time.Now()
	}
	l.lose()
}

// refusedFor returns how long the server has been refusing a subscription, or 0.
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

// confirmed notes that every earlier subscription is in force on the connection of
// turn. Only then are positions compared: nothing else finds an event that reached
// the server before the subscription did, until the next regular check.
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

// state returns the present connection, and whether it awaits confirmation.
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
