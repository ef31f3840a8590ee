package hub

import "sync"

// rawWriter writes to a socket without waiting. It exists to be reused: the function that syscall.RawConn.Write wants
// would else be allocated for every write.
type rawWriter struct {
	p   []byte
	n   int
	err error
	try func(fd uintptr) bool
}

func newRawWriter() *rawWriter {
	r := &rawWriter{}
	r.try = func(fd uintptr) bool {
		r.n, r.err = writeOnce(fd, r.p)
		return true
	}
	return r
}

// rawWriters is a pool of them.
type rawWriters struct{ pool sync.Pool }

func (p *rawWriters) get() *rawWriter {
	if r, ok := p.pool.Get().(*rawWriter); ok {
		return r
	}
	return newRawWriter()
}

func (p *rawWriters) put(r *rawWriter) {
	r.p, r.err = nil, nil
	p.pool.Put(r)
}
