package hub

// class is how queued bytes count.
type class uint8

const (
	counted  class = iota // against Config.QueueBytes
	paced                 // replay: outside the limit
	fleeting              // ephemeral: dropped rather than queued behind anything; not counted
)

// mergeBelow is the size, in bytes, up to which small writes share one chunk.
const mergeBelow = 16 << 10

// chunk is a run of bytes that ends where a frame ends. Only a begun chunk may start inside a
// frame.
type chunk struct {
	b     []byte
	class class
	begun bool
}

// backlog holds what a socket has not accepted yet, in order. Control frames pass in front of
// chunks, never inside one. It has no lock.
type backlog struct {
	chunks  []chunk
	ping    []byte // control frames that wait for the next boundary: our ping,
	pong    []byte // and the answer to the peer's latest
	latest  []latest
	total   int // bytes of chunks, including those being written
	counted int // those that count against the limit
}

// maxLatest is how many documents a backlog keeps of which only the newest matters, and
// maxLatestBytes how many bytes of them.
const (
	maxLatest      = 64
	maxLatestBytes = 64 << 10
)

// latest is a document that a newer one of the same key replaces.
type latest struct {
	key string
	b   []byte
}

// keep notes a copy of p instead of what has the same key, and reports whether there was room. It
// is written when nothing else waits.
func (b *backlog) keep(key string, p []byte) bool {
	size := len(p)
	i := -1
	for j := range b.latest {
		if b.latest[j].key == key {
			i = j
		} else {
			size += len(b.latest[j].b)
		}
	}
	switch {
	case size > maxLatestBytes, i < 0 && len(b.latest) >= maxLatest:
		return false
	case i >= 0:
		b.latest[i].b = append(b.latest[i].b[:0], p...)
	default:
		b.latest = append(b.latest, latest{key, append([]byte(nil), p...)})
	}
	return true
}

// add queues a copy of p. begun means that p is the rest of something of which the socket has
// already accepted a part.
func (b *backlog) add(p []byte, c class, begun bool) {
	b.account(c, len(p))
	if i := len(b.chunks) - 1; i >= 0 && !begun {
		if t := &b.chunks[i]; t.class == c && !t.begun && len(t.b)+len(p) <= mergeBelow {
			t.b = append(t.b, p...)
			return
		}
	}
	b.chunks = append(b.chunks, chunk{b: append([]byte(nil), p...), class: c, begun: begun})
}

func (b *backlog) account(c class, n int) {
	b.total += n
	if c == counted {
		b.counted += n
	}
}

// next removes what is to be written next; ok is false when there is nothing. Every chunk it
// returns must be passed to written.
func (b *backlog) next() (c chunk, ok bool) {
	if len(b.chunks) == 0 || !b.chunks[0].begun {
		if c, ok = b.nextControl(); ok {
			return c, true
		}
	}
	if len(b.chunks) == 0 {
		return b.nextLatest()
	}
	c = b.chunks[0]
	b.chunks[0] = chunk{}
	b.chunks = b.chunks[1:]
	return c, true
}

func (b *backlog) nextLatest() (chunk, bool) {
	if len(b.latest) == 0 {
		return chunk{}, false
	}
	p := b.latest[0].b
	b.latest = b.latest[1:]
	b.account(fleeting, len(p))
	return chunk{b: p, class: fleeting}, true
}

func (b *backlog) nextControl() (chunk, bool) {
	frames := append(b.pong, b.ping...)
	b.ping, b.pong = nil, nil
	b.account(paced, len(frames))
	return chunk{b: frames, class: paced}, len(frames) > 0
}

// written notes that a chunk has been written.
func (b *backlog) written(c chunk) { b.account(c.class, -len(c.b)) }

// truncate drops everything but the rest of a begun frame, so that a close frame can follow.
func (b *backlog) truncate() {
	b.ping, b.pong, b.latest = nil, nil, nil
	kept := b.chunks[:0]
	for _, c := range b.chunks {
		if c.begun {
			kept = append(kept, c)
		} else {
			b.account(c.class, -len(c.b))
		}
	}
	clear(b.chunks[len(kept):])
	b.chunks = kept
}
