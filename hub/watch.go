package hub

import (
	"slices"
	"time"
)

// watcher is a connection that is not subscribed and wants to know when the stream moves.
type watcher struct {
	conn *Conn
	seq  int64
}

// Watch has the owner of a connection told, once, by Reset with ReasonMoved, when the
// stream has passed seq or lost its position. The connection gets no frame of it. Call it
// after Open, with a seq read since; the stream stays open as long as it is watched. Watch
// ends with the connection, and with its Attach to the stream. Errors: ErrNotOpen,
// ErrClosed.
func (h *Hub) Watch(c *Conn, stream string, seq int64) error {
	s := h.streams.pin(stream, nil)
	if s == nil {
		return ErrNotOpen
	}
	defer func() { s.unpin(time.Now()) }()
	return s.watch(watcher{c, seq}, time.Now())
}

func (s *stream) watch(w watcher, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !w.conn.watches(s) {
		return ErrClosed
	}
	s.unwatch(w.conn)
	if !s.seq.placed() {
		s.place(w.seq, now)
	}
	s.watchers = append(s.watchers, w)
	s.seq.expect(w.seq)
	s.checkAt.Store(now.Add(s.hub.checkDelay(s.hub.cfg.CheckEvery)).UnixNano())
	s.followUp(now)
	return nil
}

// unwatch forgets that a connection watches.
func (s *stream) unwatch(c *Conn) {
	s.watchers = slices.DeleteFunc(s.watchers, func(w watcher) bool { return w.conn == c })
}

// tellWatchers tells those whose seq the stream has passed, or all.
func (s *stream) tellWatchers(all bool) {
	if len(s.watchers) == 0 {
		return
	}
	head := s.seq.head()
	s.watchers = slices.DeleteFunc(s.watchers, func(w watcher) bool {
		if !all && head <= w.seq {
			return false
		}
		w.conn.release(s)
		w.conn.notify(func(o Owner) { o.Reset(s.id, max(head, 0), ReasonMoved) })
		return true
	})
	if len(s.watchers) == 0 {
		s.watchers = nil
		s.idle(time.Now())
	}
}
