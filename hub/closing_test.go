package hub

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestCloseSendsWhatIsQueuedThenTheFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", WebSocket)
		c.sink.stick(true)
		for i := range 3 {
			if err := c.conn.Send("op", fmt.Appendf(nil, "%d", i)); err != nil {
				t.Fatal(err)
			}
		}
		c.conn.Close(4000, "drain")
		c.conn.Close(4500, "again")
		if err := c.conn.Send("op", []byte("late")); !errors.Is(err, ErrClosed) {
			t.Errorf("send after close: %v", err)
		}
		c.sink.stick(false)
		synctest.Wait()
		if got := c.texts(); !slices.Equal(got, []string{"0", "1", "2"}) || closeCode(c.frames()) != 4000 {
			t.Errorf("written %v", c.frames())
		}
		if c.sink.isClosed() {
			t.Error("closed without waiting for the peer")
		}
		time.Sleep(6 * time.Second)
		c.wantClosed(t, CloseError{4000, "drain"})
		c.wantCalls(t, "closed")
	})
}

func TestPeerAnswersTheClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", WebSocket)
		c.conn.Read(&listener{})
		c.conn.Close(4000, "drain")
		c.sink.receive(masked(8, "\x0f\xa0"))
		c.sink.hangUp()
		synctest.Wait()
		if got := len(c.frames()); got != 1 || closeCode(c.frames()) != 4000 {
			t.Errorf("written %v, want one close frame", c.frames())
		}
		if !c.sink.isClosed() || !c.sink.ended {
			t.Error("the socket was not closed at once and in order")
		}
		c.wantClosed(t, CloseError{4000, "drain"})
	})
}

// What the peer did wrong closes the connection behind what is queued, and what is under way is
// waited for.
func TestReaderThatClosesWithACodeDoesNotLoseIt(t *testing.T) {
	for name, tc := range map[string]struct {
		sent string
		code uint16
		err  error
	}{
		"too big":            {masked(1, strings.Repeat("x", longest+1)), 1009, CloseError{1009, "frame too big"}},
		"protocol error":     {"\x81\x01x", 1002, CloseError{1002, "frame without a mask"}},
		"closed by the peer": {masked(8, "\x03\xe8"), 1000, ErrGone},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := start(t, Config{}, nil)
				c := n.client("a", WebSocket)
				c.sink.stick(true)
				if err := c.conn.Send("op", []byte("before")); err != nil {
					t.Fatal(err)
				}
				c.conn.Read(&listener{ending: func() { _ = c.conn.Send("op", []byte("under way")) }})
				c.sink.receive(tc.sent)
				synctest.Wait()
				c.sink.stick(false)
				c.sink.hangUp()
				time.Sleep(2 * time.Second)
				if got := c.texts(); !slices.Equal(got, []string{"before", "under way"}) || closeCode(c.frames()) != int(tc.code) {
					t.Errorf("written %v, want two texts and the close frame", c.frames())
				}
				c.wantClosed(t, tc.err)
			})
		})
	}
}

func TestClosingEndsEvenIfTheSocketIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", WebSocket)
		c.sink.stick(true)
		if err := c.conn.Send("op", []byte("never")); err != nil {
			t.Fatal(err)
		}
		c.conn.Close(4000, "drain")
		time.Sleep(6 * time.Second)
		c.wantClosed(t, CloseError{4000, "drain"})
		if !c.sink.isClosed() {
			t.Error("the socket is open")
		}
	})
}

func TestCloseOfSSEEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", SSE)
		if err := c.conn.SendRaw([]byte("id: 7\ndata: x\n\n")); err != nil {
			t.Fatal(err)
		}
		c.conn.Close(4000, "drain")
		time.Sleep(2 * time.Second)
		if got := c.sink.written(); got != "id: 7\ndata: x\n\n" {
			t.Errorf("written %q", got)
		}
		c.wantClosed(t, CloseError{4000, "drain"})
	})
}
