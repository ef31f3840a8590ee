package hub

import "time"

// lastFrame answers the frame that ends the connection, nil for SSE.
func (w *Wire) lastFrame(code uint16, reason string) []byte {
	if w.conn != nil && w.conn.format == SSE {
		return nil
	}
	return closeFrame(code, reason)
}

// finish queues the last frame and takes nothing more. The wheel ends the wire at the latest.
func (w *Wire) finish(last []byte, err error) {
	w.state, w.err = wireClosing, err
	if w.conn != nil {
		w.hub.tasks.start(w.conn.leave)
	}
	w.hub.wheel.arm(w, time.Now().Add(w.hub.cfg.CloseTimeout))
	if last != nil {
		rest, ok := w.direct(last, nil)
		if !ok {
			return
		}
		if len(rest) > 0 {
			w.enqueue(rest, paced, len(rest) < len(last))
		}
	}
	w.startDrain()
	w.drained()
}

// drained ends a closing wire whose queue is empty, unless the peer may still answer the close frame.
func (w *Wire) drained() {
	if w.state != wireClosing || w.draining || w.q != nil {
		return
	}
	if w.final.Load() || w.conn != nil && w.conn.format == SSE {
		w.draining = true // nobody else touches the socket
		if !w.hub.tasks.start(w.linger) {
			w.end(nil)
		}
	}
}

// end closes the socket and tells everybody. Idempotent; called under mu, so the rest happens on a goroutine.
func (w *Wire) end(err error) {
	if w.state == wireClosed {
		return
	}
	if w.state == wireOpen || w.err == nil {
		w.err = err
	}
	w.state = wireClosed
	w.dropQueue()
	w.hub.wheel.remove(w)
	conn, cause := w.conn, w.err
	closing := func() {
		_ = w.nc.Close() // it is given up in any case
		if conn != nil {
			conn.closed(cause)
		}
	}
	if !w.hub.tasks.start(closing) {
		_ = w.nc.Close() // the hub has ended, and every registered connection with it
	}
}

func (w *Wire) dropQueue() {
	if w.q != nil {
		w.hub.stats.queuedBytes.Add(-int64(w.q.total))
		w.q = nil
	}
	w.signalLow()
}

// closeNow ends the wire at once.
func (w *Wire) closeNow(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end(err)
}

// Close is for the reader: it has come to an end. A wire that is closing still writes what is queued, in the
// background, until Config.CloseTimeout; any other ends at once.
func (w *Wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.state {
	case wireClosed:
		return nil
	case wireOpen:
		w.end(ErrGone)
		return nil
	}
	w.final.Store(true)
	_ = w.nc.SetReadDeadline(time.Unix(1, 0)) // a blocked reader leaves; failing means that it has
	w.drained()
	return nil
}
