package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// lingerFor is how long a closed connection is still read from, so that the close frame is not lost to a reset.
const lingerFor = time.Second

// tookAWhile tells a write that had to wait for the peer from one that the socket took at once.
const tookAWhile = time.Millisecond

// startDrain makes sure that a goroutine writes what is queued.
func (w *Wire) startDrain() {
	if w.draining || w.q == nil || w.state == wireClosed {
		return
	}
	w.draining = w.hub.tasks.start(w.drain)
}

// drain writes the queue with blocking writes and ends when it is empty. While it runs it alone writes.
func (w *Wire) drain() {
	for {
		c, ok := w.nextChunk()
		if !ok {
			return
		}
		if err := w.writeAll(c.b); err != nil {
			w.closeNow(fmt.Errorf("write queued frames: %w", err))
			return
		}
		w.wrote(c)
	}
}

// nextChunk takes from the queue, or hands the right to write back.
func (w *Wire) nextChunk() (chunk, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == wireClosed {
		return chunk{}, false
	}
	before := w.q.total
	c, ok := w.q.take()
	w.hub.stats.queuedBytes.Add(int64(w.q.total - before))
	if ok {
		return c, true
	}
	w.q = nil
	w.draining = false
	_ = w.nc.SetWriteDeadline(time.Time{}) // a direct write has no deadline
	w.signalLow()
	w.drained()
	return chunk{}, false
}

func (w *Wire) wrote(c chunk) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.q == nil {
		return // ended meanwhile
	}
	w.q.done(c)
	w.hub.stats.queuedBytes.Add(-int64(len(c.b)))
	if w.q.total <= w.hub.cfg.LowMark {
		w.signalLow()
	}
}

// writeAll writes b with a deadline that moves with every progress.
func (w *Wire) writeAll(b []byte) error {
	for len(b) > 0 {
		begun := time.Now()
		if err := w.nc.SetWriteDeadline(begun.Add(w.hub.cfg.WriteTimeout)); err != nil {
			return err
		}
		n, err := w.nc.Write(b)
		b = b[n:]
		if n > 0 && time.Since(begun) >= tookAWhile {
			w.heard.Store(true) // a socket that was full moves only when the peer takes from it
		}
		switch {
		case err == nil:
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case n == 0:
			return ErrStalled
		}
	}
	return nil
}

// signalLow wakes who waits for the queue to become short.
func (w *Wire) signalLow() {
	if w.low != nil {
		close(w.low)
		w.low = nil
	}
}

// pushPaced waits until the queue is short, then queues p outside the limit.
func (w *Wire) pushPaced(ctx context.Context, p []byte) error {
	for {
		low, err := w.tryPaced(p)
		if low == nil {
			return err
		}
		select {
		case <-low:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tryPaced queues p if the queue is short; otherwise it answers what to wait for.
func (w *Wire) tryPaced(p []byte) (low <-chan struct{}, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != wireOpen || w.q == nil || w.q.total <= w.hub.cfg.LowMark {
		return nil, w.put(p, paced, nil)
	}
	if w.low == nil {
		w.low = make(chan struct{})
	}
	return w.low, nil
}

// linger ends the writing side, reads what the peer still sends until it ends its own, and closes the socket: closing
// with unread bytes would reset the connection, and the peer might never see the last frames.
func (w *Wire) linger() {
	if half, ok := w.nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		w.final.Store(true)
		_ = w.nc.SetReadDeadline(time.Unix(1, 0))
		w.reading.Lock() // the reader has left, and none will come
		if w.nc.SetReadDeadline(time.Now().Add(lingerFor)) == nil {
			_, _ = io.Copy(io.Discard, w.nc) // whatever ends it
		}
		w.reading.Unlock()
	}
	w.closeNow(nil)
}
