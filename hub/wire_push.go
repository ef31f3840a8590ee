package hub

import (
	"fmt"
	"sync"
)

// control sends a ping or a pong, or keeps it for the next boundary, where a newer one replaces an
// older one.
func (w *Wire) control(p []byte) {
	rest, ok := w.direct(p, nil)
	if !ok || len(rest) == 0 {
		return
	}
	switch q := w.ensureBacklog(); {
	case len(rest) < len(p):
		w.enqueue(rest, paced, true)
	case p[0] == opPong:
		q.pong = append(q.pong[:0], p...)
	default:
		q.ping = append(q.ping[:0], p...)
	}
	w.startFlusher()
}

// pong answers a ping. While the socket is full only the latest answer is kept.
func (w *Wire) pong(payload []byte) {
	w.alive()
	var frame [2 + maxControl]byte
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == wireOpen {
		w.control(appendControl(frame[:0], opPong, payload))
	}
}

// push sends or queues whole frames of one class. It never blocks. rw may be nil.
func (w *Wire) push(p []byte, c class, rw *rawWriter) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.put(p, c, rw)
}

// pushLatest sends an ephemeral document at once; where the socket is behind, it keeps one with a
// key for when that has caught up, instead of the last with that key, and drops one without. It
// never blocks.
func (w *Wire) pushLatest(stream, key string, p []byte, rw *rawWriter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if key != "" && w.state == wireOpen && w.backlog != nil {
		if !w.backlog.keep(stream+" "+key, p) {
			w.hub.stats.ephemeralDrops.Add(1)
		}
		w.startFlusher()
		return
	}
	_ = w.put(p, fleeting, rw) // best effort
}

func (w *Wire) put(p []byte, c class, rw *rawWriter) error {
	if w.state != wireOpen {
		return ErrClosed
	}
	if c == fleeting && (w.flushing || w.backlog != nil) {
		w.hub.stats.ephemeralDrops.Add(1)
		return nil
	}
	rest, ok := w.direct(p, rw)
	if !ok {
		return ErrClosed
	}
	if len(rest) == 0 {
		return nil
	}
	w.enqueue(rest, c, len(rest) < len(p))
	w.enforceLimit()
	w.startFlusher()
	return nil
}

// direct writes what the socket accepts at once, if there is no backlog, and returns the rest. If
// the socket is broken, it ends the wire and returns false.
func (w *Wire) direct(p []byte, rw *rawWriter) (rest []byte, ok bool) {
	if w.flushing || w.backlog != nil || w.raw == nil && w.sealed == nil {
		return p, true
	}
	if rw == nil {
		rw = w.hub.writers.get()
		defer w.hub.writers.put(rw)
	}
	if w.sealed != nil {
		return nil, w.directSealed(p, rw)
	}
	rw.p, rw.n, rw.err = p, 0, nil
	err := w.raw.Write(rw.try)
	if err == nil {
		err = rw.err
	}
	if err != nil {
		w.end(fmt.Errorf("write frames: %w", err))
		return nil, false
	}
	return p[rw.n:], true
}

// directSealed is direct under TLS: what is encrypted must be written, whatever becomes of
// the backlog, so it is with the socket and not in there.
func (w *Wire) directSealed(p []byte, rw *rawWriter) (ok bool) {
	waiting, err := w.sealed.write(p, rw)
	if err != nil {
		w.end(fmt.Errorf("write frames: %w", err))
		return false
	}
	if waiting > 0 {
		w.ensureBacklog()
		w.countSealed(waiting)
		w.startFlusher()
	}
	return true
}

func (w *Wire) ensureBacklog() *backlog {
	if w.backlog == nil {
		w.backlog = &backlog{}
	}
	return w.backlog
}

func (w *Wire) enqueue(p []byte, c class, begun bool) {
	w.ensureBacklog().add(p, c, begun)
	w.hub.stats.queuedBytes.Add(int64(len(p)))
}

// enforceLimit closes a connection whose backlog exceeds the limit; only the rest of a begun frame
// is still written before the close frame.
func (w *Wire) enforceLimit() {
	limit := w.hub.cfg.QueueBytes
	if limit < 0 || w.backlog.counted <= limit {
		return
	}
	w.hub.stats.slowCloses.Add(1)
	w.truncateBacklog()
	w.finish(w.lastFrame(codeSlow, "slow consumer"), ErrSlow)
}

// truncateBacklog drops the backlog but for the rest of a begun frame.
func (w *Wire) truncateBacklog() {
	before := w.backlog.total
	w.backlog.truncate()
	w.hub.stats.queuedBytes.Add(int64(w.backlog.total - before))
}

// rawWriter writes to a socket without waiting. It exists to be reused: otherwise the function that
// syscall.RawConn.Write wants would be allocated for every write.
type rawWriter struct {
	p      []byte
	n      int
	err    error
	try    func(fd uintptr) bool
	sealed []byte // empty, with room for what TLS makes of p
}

// keptBytes is how much room a rawWriter keeps.
const keptBytes = 64 << 10

func newRawWriter() *rawWriter {
	r := &rawWriter{}
	r.try = func(fd uintptr) bool {
		r.n, r.err = writeOnce(fd, r.p)
		return true
	}
	return r
}

// rawWriters is a pool of rawWriters.
type rawWriters struct{ pool sync.Pool }

func (p *rawWriters) get() *rawWriter {
	if r, ok := p.pool.Get().(*rawWriter); ok {
		return r
	}
	return newRawWriter()
}

func (p *rawWriters) put(r *rawWriter) {
	r.p, r.err = nil, nil
	if cap(r.sealed) > keptBytes {
		r.sealed = nil
	}
	p.pool.Put(r)
}
