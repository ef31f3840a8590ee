package hub

import (
	"errors"
	"fmt"
	"net"
	"slices"
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
		c.conn.Close(4000, "drain")
		if _, err := c.wire.Write(closeFrame(4000, "")); err != nil { // what coder does when the answer arrives
			t.Error(err)
		}
		if err := c.wire.Close(); err != nil {
			t.Error(err)
		}
		if _, err := c.wire.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after Close: %v", err)
		}
		c.sink.hangUp()
		synctest.Wait()
		if got := len(c.frames()); got != 1 || closeCode(c.frames()) != 4000 {
			t.Errorf("written %v, want one close frame", c.frames())
		}
		if !c.sink.isClosed() || !c.sink.ended {
			t.Error("the socket is not ended in an orderly way at once")
		}
		c.wantClosed(t, CloseError{4000, "drain"})
	})
}

func TestReaderThatClosesWithACodeDoesNotLoseIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("a", WebSocket)
		c.sink.stick(true)
		if err := c.conn.Send("op", []byte("before")); err != nil {
			t.Fatal(err)
		}
		read := make(chan error)
		go func() {
			_, err := c.wire.Read(make([]byte, 1))
			read <- err
		}()
		synctest.Wait()
		if _, err := c.wire.Write(closeFrame(1009, "too big")); err != nil {
			t.Fatal(err)
		}
		if err := c.wire.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-read; err == nil {
			t.Error("a blocked read survives Close")
		}
		c.sink.stick(false)
		time.Sleep(2 * time.Second)
		if got := c.frames(); len(got) != 2 || closeCode(got) != 1009 {
			t.Errorf("written %v, want the text and the close frame", got)
		}
		c.wantClosed(t, ErrGone)
	})
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
