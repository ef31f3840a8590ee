package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// echo is a server that sends back what it receives.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}

func before(t *testing.T, target string) *Proxy {
	t.Helper()
	p, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	p.Target("tcp", target)
	return p
}

// peer is a client with a deadline on everything.
type peer struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, p *Proxy) *peer {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &peer{t, c, bufio.NewReader(c)}
}

func (c *peer) say(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *peer) hears(text string) {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(time.Minute))
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c.in, got); err != nil || string(got) != text {
		c.t.Fatalf("heard %q (%v), want %q", got, err, text)
	}
}

// silent checks that nothing comes for a moment.
func (c *peer) silent() {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if b, err := c.in.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("heard %q (%v) from a black hole", b, err)
	}
}

func (c *peer) isReset() {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.Copy(io.Discard, c.in); !errors.Is(err, syscall.ECONNRESET) {
		c.t.Fatalf("ended with %v, want a reset", err)
	}
}

// refused connects and is reset at the first read or before.
func refused(t *testing.T, p *Proxy) {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if errors.Is(err, syscall.ECONNRESET) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	(&peer{t, c, bufio.NewReader(c)}).isReset()
}

func TestPass(t *testing.T) {
	c := dial(t, before(t, echo(t)))
	c.say("hello")
	c.hears("hello")
	c.Conn.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
		t.Errorf("ended with %q, %v", rest, err)
	}
}

func TestHold(t *testing.T) {
	for name, f := range map[string]Fault{"up": {HoldUp: true}, "down": {HoldDown: true}} {
		t.Run(name, func(t *testing.T) {
			p := before(t, echo(t))
			c := dial(t, p)
			c.say("one")
			c.hears("one")
			p.Set(f)
			c.say("two")
			c.silent()
			p.Set(Fault{})
			c.hears("two")
		})
	}
}

func TestRefuse(t *testing.T) {
	p := before(t, echo(t))
	up := dial(t, p)
	up.say("one")
	up.hears("one")
	p.Set(Fault{Refuse: true})
	refused(t, p)
	up.say("two")
	up.hears("two")
	p.Set(Fault{})
	again := dial(t, p)
	again.say("three")
	again.hears("three")
}

func TestWithoutTarget(t *testing.T) {
	refused(t, before(t, ""))
}

func TestReset(t *testing.T) {
	p := before(t, echo(t))
	c := dial(t, p)
	c.say("one")
	c.hears("one")
	p.Reset()
	c.isReset()
}

func TestCut(t *testing.T) {
	p := before(t, echo(t))
	c := dial(t, p)
	c.say("before")
	c.hears("before")
	p.Set(Fault{CutDown: 5})
	c.say("after")
	c.hears("after"[:5])
	c.isReset()
	p.Set(Fault{CutUp: 3})
	d := dial(t, p)
	d.say(strings.Repeat("x", 100))
	d.isReset()
}

func TestDelay(t *testing.T) {
	p := before(t, echo(t))
	p.Set(Fault{Delay: 40 * time.Millisecond})
	c := dial(t, p)
	began := time.Now()
	c.say("hello")
	c.hears("hello")
	if took := time.Since(began); took < 80*time.Millisecond {
		t.Errorf("there and back in %s", took)
	}
}
