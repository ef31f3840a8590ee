package hub

import "time"

// maxEphemerals bounds what waits of a stream's ephemeral documents; later ones are dropped.
const maxEphemerals = 64

// ephemeral is one document without a seq, in the formats that the subscribers speak.
type ephemeral struct {
	ws, sse *buffer
	to      func(user string) bool // nil: everybody
}

// ephemeral queues a document for the pump.
func (s *stream) ephemeral(op string, data []byte, to func(string) bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.subs.list) == 0 {
		return
	}
	if len(s.eph) >= maxEphemerals {
		s.hub.stats.ephemeralDrops.Add(int64(len(s.subs.list)))
		return
	}
	e := ephemeral{to: to}
	if s.subs.websockets() > 0 {
		e.ws = s.hub.buffers.get()
		e.ws.b = appendText(e.ws.b, data)
	}
	if s.subs.sse > 0 {
		e.sse = s.hub.buffers.get()
		e.sse.b = appendBlock(e.sse.b, op, data)
	}
	s.eph = append(s.eph, e)
	s.settle(now)
}

// work is what a pump takes at once.
type work struct {
	segments []segment
	eph      []ephemeral
	ephSubs  []sub
	history  uint32
}

// pump writes what has gathered, again and again, and ends when nothing has. One runs per stream at a time; while it
// writes, the next batch gathers. The writes never block, so what gathers is bounded by the rate of the events.
func (s *stream) pump() {
	var w work
	rw := s.hub.writers.get()
	defer s.hub.writers.put(rw)
	for {
		s.gather()
		if !s.next(&w) {
			return
		}
		begun := time.Now()
		for i := range w.segments {
			s.write(&w.segments[i], rw)
		}
		for _, e := range w.eph {
			s.writeEphemeral(e, w.ephSubs, rw)
		}
		s.wrote(&w)
		s.hub.stats.batches.Add(1)
		took := time.Since(begun)
		s.hub.stats.fanoutNanos.Add(int64(took))
		if s.hub.cfg.FannedOut != nil {
			s.hub.cfg.FannedOut(took)
		}
	}
}

// gather waits for Config.FlushDelay.
func (s *stream) gather() {
	if s.hub.cfg.FlushDelay <= 0 {
		return
	}
	t := time.NewTimer(s.hub.cfg.FlushDelay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.hub.ended:
	}
}

// wrote notes that everybody has what this round took.
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

// roundEnd answers what is closed when the pump has ended a round.
func (s *stream) roundEnd() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.round == nil {
		s.round = make(chan struct{})
	}
	return s.round
}

// next takes the next work; false ends the pump.
func (s *stream) next(w *work) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(w.segments)
	w.segments = s.pend.take(w.segments)
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

// write sends a segment to its subscribers and then tells the owners what they have to know.
func (s *stream) write(seg *segment, rw *rawWriter) {
	for i := range seg.subs {
		c := seg.subs[i].conn
		if b := pick(c.format, seg.ws, seg.sse); b != nil {
			_ = c.wire.push(b.b, counted, rw) // a closed connection has been told
		}
	}
	s.hub.stats.deliveries.Add(int64(len(seg.subs) * seg.frames))
	if s.hub.cfg.Reached != nil && len(seg.created) > 0 {
		s.hub.cfg.Reached(s.id, seg.created, len(seg.subs))
	}
	s.tellDelivered(seg)
	s.hub.buffers.put(seg.ws)
	s.hub.buffers.put(seg.sse)
	for _, n := range seg.notices {
		n.conn.release(s)
		n.conn.notify(n.call)
	}
}

func (s *stream) tellDelivered(seg *segment) {
	if s.hub.cfg.Delivered == nil {
		return
	}
	for _, f := range seg.traced {
		s.hub.cfg.Delivered(Delivery{Trace: f.trace, Stream: s.id, Seq: f.seq, Connections: len(seg.subs), Took: time.Since(f.since)})
	}
}

func (s *stream) writeEphemeral(e ephemeral, subs []sub, rw *rawWriter) {
	for i := range subs {
		c := subs[i].conn
		if e.to != nil && !e.to(c.user) {
			continue
		}
		if b := pick(c.format, e.ws, e.sse); b != nil {
			_ = c.wire.push(b.b, fleeting, rw) // best effort
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
