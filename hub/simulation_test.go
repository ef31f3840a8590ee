package hub

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// simulation is a small chat service: users come and go, are removed and added, messages are
// written, edited and deleted, and the bus loses, repeats and reorders, all drawn from a seed.
// Every connection's bytes are judged at the end: consecutive from where it began or was reset,
// nothing after a removal, and complete.
type simulation struct {
	*node
	t     *testing.T
	rnd   *rand.Rand
	late  []Event // on their way over the bus
	peers []*simPeer
}

// simPeer is a connection with the part of the server that belongs to it.
type simPeer struct {
	*client
	sim  *simulation
	user string
	turn chan struct{} // a server attaches one at a time
	over bool          // the simulation closed it
}

const (
	simChat = "c"
	calm    = 40 * time.Second // longer than every wait, back-off and check
)

var simUsers = [...]string{"ann", "bob", "eve", "joe"}

func TestSimulation(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { simulate(t, seed) })
		})
	}
}

func simulate(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	cfg := Config{
		ResumeWindow: 20, HeldEvents: 6, RingEvents: 16, QueueBytes: 20 << 10, Linger: 2 * time.Second,
		FlushDelayMin: time.Duration(rnd.IntN(3)) * 5 * time.Millisecond, WriteTimeout: time.Hour, CloseTimeout: time.Second,
	}
	s := &simulation{node: start(t, cfg, nil), t: t, rnd: rnd}
	s.member(simChat, "ann", "bob")
	for range 400 {
		s.step()
	}
	for _, p := range s.peers {
		p.sink.stick(false)
	}
	s.arrive(len(s.late))
	time.Sleep(calm)
	for _, p := range s.peers {
		s.judge(p)
	}
}

func (s *simulation) step() {
	switch n := s.rnd.IntN(100); {
	case n < 35:
		s.write(s.event())
	case n < 40: // a burst
		for range s.rnd.IntN(30) {
			s.write(s.event())
		}
	case n < 55:
		s.arrive(1 + s.rnd.IntN(4))
	case n < 65:
		s.connect()
	case n < 70:
		s.disconnect()
	case n < 78:
		s.membership()
	case n < 82:
		if p := s.anyPeer(); p != nil {
			p.sink.stick(s.rnd.IntN(2) == 0)
		}
	case n < 84:
		s.hub.CheckNow()
	default:
		time.Sleep(time.Duration(s.rnd.IntN(200)) * time.Millisecond)
	}
}

func (s *simulation) event() Event {
	target := 1 + s.rnd.Int64N(s.db.position(simChat))
	switch s.rnd.IntN(6) {
	case 0:
		return Event{Op: "message.edited", Target: target, Data: []byte("edited")}
	case 1:
		return Event{Op: "message.deleted", Target: target}
	case 2:
		return Event{Op: "reaction.added"}
	}
	return Event{Op: "message.created", Data: fmt.Appendf(nil, "%0*d", s.rnd.IntN(600), 7)}
}

// write commits an event, here or on another node, with all that can happen to its publication.
func (s *simulation) write(e Event) {
	e = s.db.commit(simChat, e)
	switch s.rnd.IntN(10) {
	case 0: // lost
	case 1, 2:
		s.late = append(s.late, e, e)
	case 3, 4, 5:
		s.late = append(s.late, e)
	default:
		s.publish(e)
	}
}

// arrive lets n of the late events reach this node, in any order.
func (s *simulation) arrive(n int) {
	for range min(n, len(s.late)) {
		i := s.rnd.IntN(min(len(s.late), 8))
		s.bus.from(s.t, s.late[i])
		s.late = append(s.late[:i], s.late[i+1:]...)
	}
}

func (s *simulation) membership() {
	user := simUsers[s.rnd.IntN(len(simUsers))]
	if _, member := s.db.membership(simChat, user); member {
		s.write(Event{Op: "member.removed", Subject: user})
		return
	}
	s.write(Event{Op: "member.added", Subject: user})
	for _, p := range s.peers {
		if p.user == user && !p.over {
			go p.attach(-1)
		}
	}
}

func (s *simulation) anyPeer() *simPeer {
	if len(s.peers) == 0 {
		return nil
	}
	return s.peers[s.rnd.IntN(len(s.peers))]
}

func (s *simulation) connect() {
	p := &simPeer{sim: s, user: simUsers[s.rnd.IntN(len(simUsers))], turn: make(chan struct{}, 1)}
	p.client = s.client(p.user, Format(s.rnd.IntN(2)))
	p.onCall(func(call string) {
		var seq int64
		var reason string
		if k, _ := fmt.Sscanf(call, "reset c %d %s", &seq, &reason); k == 2 {
			go p.attach(-1)
		}
	})
	s.peers = append(s.peers, p)
	after := int64(-1)
	if last := s.db.position(simChat); s.rnd.IntN(2) == 0 {
		after = max(0, last-s.rnd.Int64N(40))
	}
	go p.attach(after)
}

func (s *simulation) disconnect() {
	if p := s.anyPeer(); p != nil && !p.over {
		p.over = true
		if s.rnd.IntN(2) == 0 {
			p.conn.CloseNow()
		} else {
			p.conn.Close(4000, "drain")
		}
	}
}

// attach does what a server does, until it is subscribed, removed or closed. Each time, the client
// is first told where it begins again.
func (p *simPeer) attach(after int64) {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	for again := true; again; after = -1 {
		again = p.attachOnce(after)
	}
}

func (p *simPeer) attachOnce(after int64) (again bool) {
	release, err := p.sim.hub.Open(p.sim.t.Context(), simChat)
	if err != nil {
		return false
	}
	defer release()
	read, member := p.sim.db.membership(simChat, p.user)
	if !member {
		return false
	}
	if after >= read.Added {
		read.After = min(after, read.Last)
	}
	if p.conn.Send("begin", fmt.Appendf(nil, `{"stream":"begin","seq":%d}`, read.After)) != nil {
		return false
	}
	got, err := p.sim.hub.Attach(p.sim.t.Context(), p.conn, read)
	if err != nil && !errors.Is(err, ErrClosed) {
		p.sim.t.Errorf("Attach: %v", err)
	}
	return err == nil && got.Outcome == MustReset
}

// attached reports whether the connection is subscribed.
func (p *simPeer) attached() bool {
	p.conn.mu.Lock()
	defer p.conn.mu.Unlock()
	return len(p.conn.attached) > 0
}

// judge reads everything that a connection was sent.
func (s *simulation) judge(p *simPeer) {
	last := s.db.position(simChat)
	next, rests := int64(1), map[int64]bool{} // rests: where an earlier subscription may go on
	for i, d := range p.documents() {
		switch {
		case d.Stream == "begin":
			if d.Seq >= next {
				rests[next] = true
				next = d.Seq + 1
			}
			continue
		case d.Seq == next:
			next++
			clear(rests)
		case rests[d.Seq]:
			clear(rests)
			if d.Seq+1 < next {
				rests[d.Seq+1] = true
			}
		default:
			s.t.Errorf("%s: document %d has seq %d, want %d", p.user, i, d.Seq, next)
			s.t.Log(s.story(p))
			return
		}
		if !s.mayHave(p.user, d.Seq) {
			s.t.Errorf("%s got %d after the removal", p.user, d.Seq)
			return
		}
	}
	_, member := s.db.membership(simChat, p.user)
	if member && p.attached() && next != last+1 {
		s.t.Errorf("%s is attached and has everything up to %d, not to %d", p.user, next-1, last)
	}
	if member && !p.attached() && !p.sink.isClosed() {
		s.t.Errorf("%s is a member and connected, but not attached", p.user)
	}
}

// mayHave reports whether a user was a member at a seq, including that of the removal.
func (s *simulation) mayHave(user string, seq int64) bool {
	member := false
	for _, e := range s.db.log(simChat).events[:seq] {
		switch {
		case e.Subject != user:
		case e.Op == "member.added":
			member = true
		case e.Seq < seq:
			member = false
		}
	}
	return member
}

// story lists what a connection got, and when its user was added and removed.
func (s *simulation) story(p *simPeer) (story []string) {
	for _, d := range p.documents() {
		story = append(story, fmt.Sprint(d.Stream[:1], d.Seq))
	}
	for _, e := range s.db.log(simChat).events {
		if e.Subject == p.user {
			story = append(story, fmt.Sprint(e.Op, " ", e.Seq))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return append(story, p.calls...)
}
