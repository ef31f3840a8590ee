package hub

import "time"

// Listener hears what passes on the streams that this node follows, and who is removed from them.
type Listener interface {
	// Passing receives what Pass was given, here or on another node, if this node's stream has
	// reached its Seq. What arrives at a stream that is behind is dropped: a user who has been
	// removed by then may still be subscribed. It is called concurrently, by the callers of Pass
	// and by the bus, and must return soon.
	Passing(e Event)
	// Removed reports that the stream's event seq, just applied, removed a user. It is called in
	// the order of the stream and under its lock: it must not call the hub.
	Removed(stream, user string, seq int64)
}

// Listen sets the listener for the hub's whole life. Call it before Run.
func (h *Hub) Listen(l Listener) { h.listener = l }

// Pass tells every node's Listener, including this one's, of something that has no seq of its own:
// e.Kind becomes Passing, and e.Seq is the last seq of the stream that its sender has read, 1 for a
// personal stream. It does not wait and may be lost. The error wraps ErrBadEvent; nobody was told
// then.
func (h *Hub) Pass(e Event) error {
	e.Kind, e.Epoch = Passing, h.epoch.tag.Load()
	data, err := e.AppendBinary(nil)
	if err != nil {
		return err
	}
	h.pass(e)
	h.bus.Publish(e.Stream, data, "")
	return nil
}

// PassOn is Pass for the other nodes alone.
func (h *Hub) PassOn(e Event) error {
	e.Kind, e.Epoch = Passing, h.epoch.tag.Load()
	data, err := e.AppendBinary(nil)
	if err == nil {
		h.bus.Publish(e.Stream, data, "")
	}
	return err
}

func (h *Hub) pass(e Event) {
	s := h.streams.find(e.Stream)
	if s == nil || h.listener == nil || h.stopped() {
		return
	}
	if s.hears(e.Seq, time.Now()) {
		h.listener.Passing(e)
	}
}

// hears reports whether the stream has reached seq. One that has not is repaired.
func (s *stream) hears(seq int64, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.subs.list) == 0 || !s.seq.placed() {
		return false
	}
	if s.personal || s.seq.head() >= seq {
		return true
	}
	s.seq.claim(seq)
	s.followUp(now)
	return false
}
