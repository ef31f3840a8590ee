package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// restoreSim simulates a database that is put back to an earlier state again and again, under a
// running node that is not told, while the bus still brings events of the abandoned histories. What
// a client holds in the end must be the last history and nothing else.
type restoreSim struct {
	*node
	t     *testing.T
	rnd   *rand.Rand
	late  []Event
	peers []*restorePeer
	said  int
}

// restorePeer is a connection and what the server knows of it: it attaches when it is not attached,
// one attempt at a time.
type restorePeer struct {
	*client
	sim      *restoreSim
	user     string
	turn     chan struct{}
	attached bool       // guarded by turn
	rnd      *rand.Rand // the same
	over     bool
}

func TestSimulationOfRestores(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { simulateRestores(t, seed) })
		})
	}
}

func simulateRestores(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 2))
	cfg := Config{ResumeWindow: 20, HeldEvents: 6, RingEvents: 16, Linger: 2 * time.Second, WriteTimeout: time.Hour,
		FlushDelayMin: time.Duration(rnd.IntN(3)) * 5 * time.Millisecond}
	s := &restoreSim{node: start(t, cfg, nil), t: t, rnd: rnd}
	s.member(simChat, "ann", "bob")
	for range 300 {
		s.step()
	}
	s.arrive(len(s.late))
	time.Sleep(calm)
	for _, p := range s.peers {
		s.judge(p)
	}
}

func (s *restoreSim) step() {
	switch n := s.rnd.IntN(100); {
	case n < 35:
		s.say()
	case n < 50:
		s.arrive(1 + s.rnd.IntN(4))
	case n < 58:
		s.connect()
	case n < 61:
		if len(s.peers) > 0 {
			p := s.peers[s.rnd.IntN(len(s.peers))]
			p.over = true
			p.conn.CloseNow()
		}
	case n < 69:
		s.membership()
	case n < 72:
		s.goBack()
	case n < 74:
		s.hub.CheckNow()
	default:
		time.Sleep(time.Duration(s.rnd.IntN(300)) * time.Millisecond)
	}
}

func (s *restoreSim) say() {
	s.said++
	s.write(Event{Op: "message.created", Data: fmt.Append(nil, "unique ", s.said)})
}

// write commits an event on this node or another one, which knows its history.
func (s *restoreSim) write(e Event) {
	e = s.db.commit(simChat, e)
	var known epoch
	known.set(s.db.history())
	e.Epoch = known.tag.Load()
	switch s.rnd.IntN(6) {
	case 0: // lost
	case 1, 2:
		s.late = append(s.late, e)
	case 3:
		s.bus.from(s.t, e)
	default:
		s.publish(e)
	}
}

func (s *restoreSim) arrive(n int) {
	for range min(n, len(s.late)) {
		i := s.rnd.IntN(len(s.late))
		s.bus.from(s.t, s.late[i])
		s.late = slices.Delete(s.late, i, i+1)
	}
}

// goBack restores a backup; sometimes the new history grows at once, perhaps past the old
// positions.
func (s *restoreSim) goBack() {
	last := s.db.position(simChat)
	s.db.restore(s.db.history()+"x", simChat, max(2, last-s.rnd.Int64N(12)), 0)
	for range s.rnd.IntN(20) {
		s.say()
	}
}

func (s *restoreSim) membership() {
	user := simUsers[s.rnd.IntN(len(simUsers))]
	if _, member := s.db.membership(simChat, user); member {
		s.write(Event{Op: "member.removed", Subject: user})
		return
	}
	s.write(Event{Op: "member.added", Subject: user})
	for _, p := range s.peers {
		if p.user == user {
			go p.job(func() {})
		}
	}
}

func (s *restoreSim) connect() {
	p := &restorePeer{sim: s, user: simUsers[s.rnd.IntN(len(simUsers))], turn: make(chan struct{}, 1),
		rnd: rand.New(rand.NewPCG(s.rnd.Uint64(), 3))}
	p.client = s.client(p.user, WebSocket)
	p.onCall(func(call string) {
		switch {
		case strings.HasPrefix(call, "reset "+p.user+" "):
			go p.job(p.hear)
		case strings.HasPrefix(call, "reset "), strings.HasPrefix(call, "detached "):
			go p.job(func() { p.attached = false })
		}
	})
	s.peers = append(s.peers, p)
	go p.job(p.hear)
}

// hear follows the user's own stream, whose reset means that memberships may have changed too.
func (p *restorePeer) hear() {
	release, err := p.sim.hub.Open(p.sim.t.Context(), p.user)
	if err != nil {
		return
	}
	defer release()
	if err := p.sim.hub.AttachPersonal(p.sim.t.Context(), p.conn, p.user, -1); err != nil && !errors.Is(err, ErrClosed) {
		p.sim.t.Errorf("attach personal stream: %v", err)
	}
}

// snapshot is membership with the epoch, read at one moment.
func (d *truth) snapshot(stream, user string) (p Position, member bool) {
	for {
		before := d.history()
		p, member = d.membership(stream, user)
		if p.Epoch = d.history(); p.Epoch == before {
			return p, member
		}
	}
}

func (d *truth) history() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.epoch
}

// job attaches a connection that is not attached, as long as its user is a member.
func (p *restorePeer) job(first func()) {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	first()
	for !p.attached && p.attachOnce() {
	}
}

func (p *restorePeer) attachOnce() (again bool) {
	release, err := p.sim.hub.Open(p.sim.t.Context(), simChat)
	if err != nil {
		return false
	}
	defer release()
	read, member := p.sim.db.snapshot(simChat, p.user)
	if !member || p.conn.Send("begin", fmt.Appendf(nil, `{"stream":"begin","seq":%d}`, read.After)) != nil {
		return false
	}
	if p.rnd.IntN(3) == 0 {
		time.Sleep(time.Duration(p.rnd.IntN(100)) * time.Millisecond) // a slow socket
	}
	got, err := p.sim.hub.Attach(p.sim.t.Context(), p.conn, read)
	if err != nil && !errors.Is(err, ErrClosed) {
		p.sim.t.Errorf("Attach: %v", err)
	}
	p.attached = err == nil && got.Outcome == Subscribed
	return err == nil && got.Outcome == MustReset
}

// judge reads what a connection was sent since it was last told where to begin: that is what its
// client holds.
func (s *restoreSim) judge(p *restorePeer) {
	log, docs := s.db.log(simChat), p.documents()
	_, member := s.db.membership(simChat, p.user)
	if p.over || !member {
		return
	}
	if !p.attached {
		s.t.Errorf("%s is a member and not attached", p.user)
		return
	}
	first := len(docs) - 1
	for docs[first].Stream != "begin" {
		first--
	}
	next := docs[first].Seq + 1
	for _, d := range docs[first+1:] {
		var truly document
		if d.Seq != next || d.Seq > int64(len(log.events)) {
			s.t.Errorf("%s got %d, want %d of %d", p.user, d.Seq, next, len(log.events))
			return
		}
		if err := json.Unmarshal(log.show(log.events[d.Seq-1]).Data, &truly); err != nil || truly != d {
			s.t.Errorf("%s holds %+v, the database %+v", p.user, d, truly)
			return
		}
		next++
	}
	if next != int64(len(log.events))+1 {
		s.t.Errorf("%s has everything up to %d, not to %d", p.user, next-1, len(log.events))
	}
}
