package hub

import "cmp"

// listener is a Reader that keeps what it hears, for tests that look at it when nobody reads.
type listener struct {
	texts  []string
	limit  int    // 0 is longest
	ending func() // nil does nothing
}

func (l *listener) Limit() int               { return cmp.Or(l.limit, longest) }
func (l *listener) Message(_ bool, p []byte) { l.texts = append(l.texts, string(p)) }

func (l *listener) Ending() {
	if l.ending != nil {
		l.ending()
	}
}
