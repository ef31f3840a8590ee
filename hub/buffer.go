package hub

import "sync"

// maxPooled is the largest buffer that is kept for reuse, in bytes.
const maxPooled = 256 << 10

// buffer is a reusable byte slice.
type buffer struct{ b []byte }

// buffers is a pool of them.
type buffers struct{ pool sync.Pool }

func (p *buffers) get() *buffer {
	if b, ok := p.pool.Get().(*buffer); ok {
		return b
	}
	return &buffer{}
}

// ensure answers b, or one from the pool for nil.
func (p *buffers) ensure(b *buffer) *buffer {
	if b == nil {
		return p.get()
	}
	return b
}

// put takes a buffer back; nil is allowed. Nobody may hold its bytes any more.
func (p *buffers) put(b *buffer) {
	if b == nil || cap(b.b) > maxPooled {
		return
	}
	b.b = b.b[:0]
	p.pool.Put(b)
}
