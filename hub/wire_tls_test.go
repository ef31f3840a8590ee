package hub

import (
	"errors"
	"testing"
)

// What TLS sends by itself to a peer that reads nothing is bounded; what the hub sends is
// bounded elsewhere.
func TestNewKeysForNobody(t *testing.T) {
	c := &cipherText{taken: true} // no socket: it takes nothing
	c.begin(nil)
	if n, err := c.Write(make([]byte, 10*strayBytes)); n != 10*strayBytes || err != nil {
		t.Errorf("the hub's own: %d, %v", n, err)
	}
	if got := len(c.take()); got != 10*strayBytes {
		t.Errorf("%d bytes wait", got)
	}
	if c.take() != nil || c.held {
		t.Error("it is held though nothing waits")
	}
	sent := 0
	for sent < 10*strayBytes {
		n, err := c.Write(make([]byte, 100))
		if errors.Is(err, errStray) {
			break
		}
		sent += n
	}
	if sent > strayBytes+100 {
		t.Errorf("%d bytes wait for a peer that asks for new keys", sent)
	}
}
