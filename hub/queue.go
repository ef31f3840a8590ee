package hub

// class says how queued bytes count.
type class uint8

const (
	counted  class = iota // against Config.QueueBytes
	paced                 // replay: outside the limit
	fleeting              // ephemeral: never queued behind anything, so it is what goes first; not counted
)

// mergeBelow is the size up to which small writes share one chunk, in bytes.
const mergeBelow = 16 << 10

// chunk is a run of bytes that ends where a frame ends. Only a begun chunk may start inside a frame.
type chunk struct {
	b     []byte
	class class
	begun bool
}

// queue holds what a socket has not taken yet, in order. Control frames pass in front of chunks, never inside one.
// It has no lock.
type queue struct {
	chunks  []chunk
	ping    []byte // control frames that wait for the next boundary: a ping of ours,
	pong    []byte // and the answer to the peer's latest
	total   int    // bytes of chunks, those being written included
	counted int    // of which count against the limit
}

// add queues a copy of p. begun says that the socket has taken a part of what p is the rest of.
func (q *queue) add(p []byte, c class, begun bool) {
	q.account(c, len(p))
	if i := len(q.chunks) - 1; i >= 0 && !begun {
		if t := &q.chunks[i]; t.class == c && !t.begun && len(t.b)+len(p) <= mergeBelow {
			t.b = append(t.b, p...)
			return
		}
	}
	q.chunks = append(q.chunks, chunk{b: append([]byte(nil), p...), class: c, begun: begun})
}

func (q *queue) account(c class, n int) {
	q.total += n
	if c == counted {
		q.counted += n
	}
}

// take removes what is to be written next; ok is false when there is nothing. Every chunk that is taken is given back
// to done.
func (q *queue) take() (c chunk, ok bool) {
	if len(q.chunks) == 0 || !q.chunks[0].begun || !waitsForBoundary {
		if c, ok = q.takeControl(); ok {
			return c, true
		}
	}
	if len(q.chunks) == 0 {
		return chunk{}, false
	}
	c = q.chunks[0]
	q.chunks[0] = chunk{}
	q.chunks = q.chunks[1:]
	return c, true
}

func (q *queue) takeControl() (chunk, bool) {
	b := append(q.pong, q.ping...)
	q.ping, q.pong = nil, nil
	q.account(paced, len(b))
	return chunk{b: b, class: paced}, len(b) > 0
}

// done notes that a taken chunk has been written.
func (q *queue) done(c chunk) { q.account(c.class, -len(c.b)) }

// truncate drops everything but the rest of a begun frame, so that a close frame can follow.
func (q *queue) truncate() {
	q.ping, q.pong = nil, nil
	kept := q.chunks[:0]
	for _, c := range q.chunks {
		if c.begun {
			kept = append(kept, c)
		} else {
			q.account(c.class, -len(c.b))
		}
	}
	clear(q.chunks[len(kept):])
	q.chunks = kept
}
