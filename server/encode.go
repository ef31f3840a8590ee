package server

import (
	"bytes"
	"encoding/json"
	"sync"
)

// encode is json.Marshal without HTML escapes: its result never becomes part of a page.
func encode(v any) ([]byte, error) {
	e := newEncoder()
	err := e.encode(v)
	return e.result(), err
}

// encoder encodes one document after the other in the same memory.
type encoder struct {
	buf  bytes.Buffer
	json *json.Encoder
}

func newEncoder() *encoder {
	e := &encoder{}
	e.json = json.NewEncoder(&e.buf)
	e.json.SetEscapeHTML(false)
	return e
}

func (e *encoder) encode(v any) error {
	e.buf.Reset()
	return e.json.Encode(v)
}

// result returns the document, valid until the next.
func (e *encoder) result() []byte { return bytes.TrimSuffix(e.buf.Bytes(), []byte("\n")) }

// maxPooled is the largest document, in bytes, whose memory is kept.
const maxPooled = 64 << 10

// encoders is a pool of encoders.
type encoders struct{ pool sync.Pool }

// encode calls use with the document, which is valid until use returns.
func (p *encoders) encode(v any, use func(data []byte)) error {
	e, ok := p.pool.Get().(*encoder)
	if !ok {
		e = newEncoder()
	}
	if err := e.encode(v); err != nil {
		return err
	}
	use(e.result())
	if e.buf.Cap() <= maxPooled {
		p.pool.Put(e)
	}
	return nil
}
