package hub

import (
	"slices"
	"time"
)

// maxEphemerals limits the waiting ephemeral documents of a stream; later ones are dropped.
const maxEphemerals = 64

// ephemeral is one document without a seq, in the formats that the subscribers use.
type ephemeral struct {
	ws, sse *buffer
	to      func(user string) bool // nil admits everybody
	latest  string                 // what it replaces where a socket is behind; "": nothing, it is dropped
}

// ephemeral queues a document for the pump. One with the same latest that still waits is replaced.
func (s *stream) ephemeral(op, latest string, data []byte, to func(string) bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.subs.list) == 0 {
		return
	}
	s.replaceEphemeral(latest)
	if len(s.eph) >= maxEphemerals {
		s.hub.stats.ephemeralDrops.Add(int64(len(s.subs.list)))
		return
	}
	e := ephemeral{to: to, latest: latest}
	if s.subs.websockets() > 0 {
		e.ws = s.hub.buffers.get()
		e.ws.b = appendText(e.ws.b, data)
	}
	if s.subs.sse > 0 {
		e.sse = s.hub.buffers.get()
		e.sse.b = appendBlock(e.sse.b, op, data)
	}
	s.eph = append(s.eph, e)
	s.followUp(now)
}

// replaceEphemeral drops the document that a newer one is about to replace.
func (s *stream) replaceEphemeral(latest string) {
	i := slices.IndexFunc(s.eph, func(e ephemeral) bool { return latest != "" && e.latest == latest })
	if i < 0 {
		return
	}
	s.hub.buffers.put(s.eph[i].ws)
	s.hub.buffers.put(s.eph[i].sse)
	s.eph = slices.Delete(s.eph, i, i+1)
}

// work is what a pump writes in one round.
type work struct {
	segments []segment
	eph      []ephemeral
	ephSubs  []sub
	history  uint32
}

// pump writes what has gathered, round after round, and ends when nothing has. One runs per stream
// at a time; while it writes, the next round gathers. The writes never block, so what gathers is
// bounded by the rate of the events.
//
// A busy stream breathes: after a long round it rests as long as that took. Half of the time goes
// into writing at most, and the next round writes several frames to each subscriber at once. The
// first event of a quiet stream finds no pump and is written without a rest.
func (s *stream) pump() {
	var w work
	rw := s.hub.writers.get()
	defer s.hub.writers.put(rw)
	took := time.Duration(0)
	for s.gather(took); s.next(&w); s.gather(took) {
		took = s.writeRound(&w, rw)
		s.hub.stats.batches.Add(1)
		s.hub.stats.fanoutNanos.Add(int64(took))
		if s.hub.cfg.FannedOut != nil {
			s.hub.cfg.FannedOut(took)
		}
	}
}

// writeRound writes the work of one round and returns how long that took.
func (s *stream) writeRound(w *work, rw *rawWriter) time.Duration {
	begun := time.Now()
	for i := range w.segments {
		s.write(&w.segments[i], rw)
	}
	for _, e := range w.eph {
		s.writeEphemeral(e, w.ephSubs, rw)
	}
	s.wrote(w)
	return time.Since(begun)
}

// longRound is how long a round takes at least for the next to wait: the rounds of small chats cost
// less than what gathering saves.
const longRound = time.Millisecond

// rest returns the pause after a round that took so long.
func (c Config) rest(took time.Duration) time.Duration {
	if took < longRound {
		took = 0
	}
	return max(c.FlushDelayMin, min(took, c.FlushDelayMax))
}

// gather lets frames gather, after a round that took so long.
func (s *stream) gather(took time.Duration) {
	rest := s.hub.cfg.rest(took)
	if rest <= 0 {
		return
	}
	t := time.NewTimer(rest)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.hub.ended:
	}
}

// wrote notes that everybody has what this round wrote.
func (s *stream) wrote(w *work) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range w.segments {
		if w.history == s.history && w.segments[i].frames > 0 {
			s.flushed = w.segments[i].last
		}
	}
	if s.round != nil {
		close(s.round)
		s.round = nil
	}
}

// roundEnd returns what is closed when the pump has ended a round.
func (s *stream) roundEnd() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.round == nil {
		s.round = make(chan struct{})
	}
	return s.round
}

// next collects the next work; false ends the pump.
func (s *stream) next(w *work) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(w.segments)
	w.segments = s.pend.swap(w.segments)
	w.eph, s.eph = s.eph, nil
	w.ephSubs = nil
	if len(w.eph) > 0 {
		w.ephSubs = s.subs.share()
	}
	w.history = s.history
	if len(w.segments) == 0 && len(w.eph) == 0 {
		s.pend.segments = nil
		s.pumping = false
		return false
	}
	return true
}

// write sends a segment to its subscribers and then tells the owners what they need to know.
func (s *stream) write(seg *segment, rw *rawWriter) {
	for i := range seg.subs {
		c := seg.subs[i].conn
		if b := pick(c.format, seg.ws, seg.sse); b != nil {
			_ = c.wire.push(b.b, counted, rw) // a closed connection's owner knows
		}
	}
	s.hub.stats.deliveries.Add(int64(len(seg.subs) * seg.frames))
	if s.hub.cfg.Reached != nil && len(seg.created) > 0 {
		s.hub.cfg.Reached(s.id, seg.created, len(seg.subs))
	}
	s.reportDelivered(seg)
	s.hub.buffers.put(seg.ws)
	s.hub.buffers.put(seg.sse)
	for _, n := range seg.notices {
		n.conn.release(s)
		n.conn.notify(n.call)
	}
}

func (s *stream) reportDelivered(seg *segment) {
	if s.hub.cfg.Delivered == nil {
		return
	}
	for _, f := range seg.traced {
		s.hub.cfg.Delivered(Delivery{
			Trace: f.trace, Stream: s.id, Seq: f.seq, Connections: len(seg.subs), Took: time.Since(f.since),
		})
	}
}

func (s *stream) writeEphemeral(e ephemeral, subs []sub, rw *rawWriter) {
	for i := range subs {
		c := subs[i].conn
		if e.to != nil && !e.to(c.user) {
			continue
		}
		if b := pick(c.format, e.ws, e.sse); b != nil {
			c.wire.pushLatest(s.id, e.latest, b.b, rw)
		}
	}
	s.hub.buffers.put(e.ws)
	s.hub.buffers.put(e.sse)
}

func pick(f Format, ws, sse *buffer) *buffer {
	if f == SSE {
		return sse
	}
	return ws
}
