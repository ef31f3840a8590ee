package hub

import (
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// fragment is a frame of a message that does not end with it.
func fragment(op byte, payload string) string {
	f := []byte(masked(op, payload))
	f[0] &^= finalBit
	return string(f)
}

// Frames that no message accounts for end a connection, and nothing else does, however they
// are mixed and cut into pieces.
func TestFramesWithoutAMessageAreBounded(t *testing.T) {
	const burst = 64
	for name, tc := range map[string]struct {
		user, frames string
		times        int
		closed       bool
	}{
		"pings":                     {"u", masked(9, ""), burst + 1, true},
		"pings within the budget":   {"u", masked(9, ""), burst - 1, false},
		"pongs":                     {"u", masked(10, "x"), burst + 1, true},
		"long pings":                {"u", masked(9, strings.Repeat("x", 125)), burst + 1, true},
		"empty fragments":           {"u", fragment(1, "") + strings.Repeat(fragment(0, ""), burst), 1, true},
		"short fragments":           {"u", fragment(1, "{") + strings.Repeat(fragment(0, strings.Repeat(" ", 9)), burst), 1, true},
		"pings between fragments":   {"u", fragment(1, "") + strings.Repeat(masked(9, "")+fragment(0, ""), burst/2), 1, true},
		"messages":                  {"u", masked(1, "{}"), 4 * burst, false},
		"messages in two fragments": {"u", fragment(1, "{") + masked(0, "}"), burst/2 - 1, false},
		"messages of a stranger":    {"", masked(1, "{}"), burst/strangerShare + 1, true},
		"pings of a stranger":       {"", masked(9, ""), burst/strangerShare + 1, true},
		"a stranger's auth":         {"", masked(9, "") + masked(1, "{}"), 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := start(t, Config{FrameBurst: burst, CloseTimeout: hang, WriteTimeout: hang}, nil)
			srv, conns := n.serve(false)
			p := dial(t, srv, tc.user, "")
			s := <-conns
			served := make(chan struct{})
			go func() { // what the server reads is of no interest
				for {
					select {
					case <-s.texts:
					case <-served:
						return
					}
				}
			}()
			go func() { _, _ = io.WriteString(p.nc, strings.Repeat(tc.frames, tc.times)+masked(8, "\x03\xe8")) }()
			code := 0
			for {
				f, err := p.next()
				if err != nil {
					break
				}
				if f.op == 8 {
					code = int(binary.BigEndian.Uint16(f.payload))
					break
				}
			}
			p.nc.Close()
			<-s.closed
			n.handlers.Wait()
			close(served)
			if closed := code == codeLimited; closed != tc.closed {
				t.Errorf("closed with %d", code)
			}
			if got := n.hub.Stats().FloodCloses; (got == 1) != tc.closed {
				t.Errorf("%d flood closes", got)
			}
		})
	}
}

// A budget fills again; an honest heartbeat never empties it.
func TestFrameBudgetFills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter
		for range 1000 { // a ping each second, and a pong to the server's
			for range 2 {
				if !m.charge(time.Now(), 32) {
					t.Fatal("an honest client is out of budget")
				}
			}
			time.Sleep(time.Second)
		}
		for m.charge(time.Now(), 32) {
		}
		time.Sleep(2 * frameWindow)
		if !m.charge(time.Now(), 32) {
			t.Error("the budget does not fill")
		}
	})
}
