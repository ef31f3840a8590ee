package proxy

import (
	"io"
	"net"
	"sync"
	"time"
)

const (
	chunkBytes = 32 << 10
	// maxChunks bounds what is read ahead of a delay or a black hole. Beyond it, the
	// sender has to wait.
	maxChunks = 64
)

// link is a connection from a client and its other half to the server.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	once           sync.Once
	ended          chan struct{} // closed by reset
}

// chunk is a piece of a stream; without data it is the stream's end.
type chunk struct {
	data []byte
	due  time.Time
}

// run forwards both ways until both have ended.
func (l *link) run() {
	var ways sync.WaitGroup
	ways.Go(func() { l.forward(l.server, l.client, true) })
	ways.Go(func() { l.forward(l.client, l.server, false) })
	ways.Wait()
	l.reset()
}

// reset ends the link at once. It may be called more than once.
func (l *link) reset() {
	l.once.Do(func() {
		close(l.ended)
		abort(l.client)
		abort(l.server)
	})
}

// forward carries one way: a reader ahead, and a writer that bears the faults.
func (l *link) forward(to, from net.Conn, up bool) {
	chunks := make(chan chunk, maxChunks)
	var reader sync.WaitGroup
	reader.Go(func() { l.read(from, up, chunks) })
	l.write(to, up, chunks)
	reader.Wait()
}

func (l *link) read(from net.Conn, up bool, chunks chan<- chunk) {
	r := io.Reader(from)
	if !up && l.proxy.filter != nil {
		r = l.proxy.filter(from)
	}
	buf := make([]byte, chunkBytes)
	for {
		n, err := r.Read(buf)
		now, _, _ := l.proxy.faults.get()
		c := chunk{due: time.Now().Add(now.Delay)}
		if n > 0 {
			c.data = append(c.data, buf[:n]...)
		}
		if (n > 0 || err != nil) && !l.queue(chunks, c) || err != nil {
			return
		}
	}
}

func (l *link) queue(chunks chan<- chunk, c chunk) bool {
	select {
	case chunks <- c:
		return true
	case <-l.ended:
		return false
	}
}

// write passes chunks on when they are due and nothing holds them.
func (l *link) write(to net.Conn, up bool, chunks <-chan chunk) {
	var passed meter
	for {
		var c chunk
		select {
		case c = <-chunks:
		case <-l.ended:
			return
		}
		if !l.await(c.due) || !l.pass(up) {
			return
		}
		if c.data == nil {
			closeWrite(to)
			return
		}
		now, count, _ := l.proxy.faults.get()
		data, cut := passed.cut(c.data, now.limit(up), count)
		if _, err := to.Write(data); err != nil || cut {
			l.reset()
			return
		}
	}
}

// await waits until a moment. It returns false if the link ends first.
func (l *link) await(due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return true
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.ended:
		return false
	}
}

// pass waits while a black hole holds this way. It returns false if the link ends first.
func (l *link) pass(up bool) bool {
	for {
		now, _, changed := l.proxy.faults.get()
		if up && !now.HoldUp || !up && !now.HoldDown {
			return true
		}
		select {
		case <-changed:
		case <-l.ended:
			return false
		}
	}
}

func (f Fault) limit(up bool) int64 {
	if up {
		return f.CutUp
	}
	return f.CutDown
}

// meter counts the bytes of one way since the fault began.
type meter struct {
	fault int
	bytes int64
}

// cut returns what of data still passes under a limit, and reports whether that was all.
func (m *meter) cut(data []byte, limit int64, fault int) ([]byte, bool) {
	if m.fault != fault {
		*m = meter{fault: fault}
	}
	m.bytes += int64(len(data))
	if limit == 0 || m.bytes < limit {
		return data, false
	}
	return data[:int64(len(data))-(m.bytes-limit)], true
}

func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the peer has gone before us, or will
	}
}
