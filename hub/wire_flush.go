package hub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// tookAWhile tells a write that had to wait for the peer from one that the socket accepted at once.
const tookAWhile = time.Millisecond

// startFlusher makes sure that a goroutine writes the backlog.
func (w *Wire) startFlusher() {
	if w.flushing || w.backlog == nil || w.state == wireClosed {
		return
	}
	w.flushing = w.hub.tasks.start(w.flush)
}

// flush writes the backlog with blocking writes and ends when it is empty. While it runs, it alone
// writes.
func (w *Wire) flush() {
	err := w.writeSealed(nil)
	for err == nil {
		c, ok := w.nextChunk()
		if !ok {
			return
		}
		if w.sealed != nil {
			err = w.writeSealed(c.b)
		} else {
			err = w.writeAll(w.nc, c.b)
		}
		if err == nil {
			w.wrote(c)
		}
	}
	w.closeNow(fmt.Errorf("write backlog: %w", err))
}

// writeSealed encrypts b and writes all that waits. The deadlines are the socket's: TLS
// knows of none.
func (w *Wire) writeSealed(b []byte) error {
	if w.sealed == nil {
		return nil
	}
	w.sealed.below.begin(nil)
	if len(b) > 0 {
		if _, err := w.sealed.tls.Write(b); err != nil {
			return err
		}
	}
	for p := w.sealed.below.take(); len(p) > 0; p = w.sealed.below.take() {
		if err := w.writeAll(w.sealed.below.Conn, p); err != nil {
			return err
		}
	}
	return nil
}

// nextChunk returns what to write next, or gives up the right to write.
func (w *Wire) nextChunk() (chunk, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == wireClosed {
		return chunk{}, false
	}
	if w.sealed != nil {
		w.countSealed(0) // it was written before
	}
	if w.state != wireOpen {
		w.backlog.latest = nil // nothing follows a close frame
	}
	before := w.backlog.total
	c, ok := w.backlog.next()
	w.hub.stats.queuedBytes.Add(int64(w.backlog.total - before))
	if ok {
		return c, true
	}
	w.backlog = nil
	w.flushing = false
	_ = w.nc.SetWriteDeadline(time.Time{}) // direct writes have no deadline
	w.signalLow()
	w.closeIfFlushed()
	return chunk{}, false
}

func (w *Wire) wrote(c chunk) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.backlog == nil {
		return // the wire has ended
	}
	w.backlog.written(c)
	w.hub.stats.queuedBytes.Add(-int64(len(c.b)))
	if w.backlog.total <= w.hub.cfg.LowMark {
		w.signalLow()
	}
}

// writeAll writes b to nc with a deadline that moves with every progress.
func (w *Wire) writeAll(nc net.Conn, b []byte) error {
	for len(b) > 0 {
		begun := time.Now()
		if err := nc.SetWriteDeadline(begun.Add(w.hub.cfg.WriteTimeout)); err != nil {
			return err
		}
		n, err := nc.Write(b)
		b = b[n:]
		if n > 0 && time.Since(begun) >= tookAWhile {
			w.heard.Store(true) // a full socket moves only when its peer reads
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

// signalLow wakes those who wait for a short backlog.
func (w *Wire) signalLow() {
	if w.low != nil {
		close(w.low)
		w.low = nil
	}
}

// pushPaced waits until the backlog is short, then queues p outside the limit.
func (w *Wire) pushPaced(ctx context.Context, p []byte) error {
	for {
		low, err := w.tryPaced(p)
		if low == nil {
			return err
		}
		if err := pausing(ctx, func() error { return awaitLow(ctx, low) }); err != nil {
			return err
		}
	}
}

func awaitLow(ctx context.Context, low <-chan struct{}) error {
	select {
	case <-low:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tryPaced queues p if the backlog is short; otherwise it returns what to wait for.
func (w *Wire) tryPaced(p []byte) (low <-chan struct{}, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != wireOpen || w.backlog == nil || w.backlog.total <= w.hub.cfg.LowMark {
		return nil, w.put(p, paced, nil)
	}
	if w.low == nil {
		w.low = make(chan struct{})
	}
	return w.low, nil
}
