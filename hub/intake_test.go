package hub

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// script is a connection whose peer sends what is written down, in pieces, and then ends.
type script struct {
	net.Conn
	sent  []byte
	piece int
	said  bytes.Buffer
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.sent) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.sent[:min(len(s.sent), s.piece)])
	s.sent = s.sent[n:]
	return n, nil
}

func (s *script) Write(p []byte) (int, error)      { return s.said.Write(p) }
func (s *script) Close() error                     { return nil }
func (s *script) SetReadDeadline(time.Time) error  { s.sent = nil; return nil } // nothing comes in time
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// hearer is what a server made of what a client sent: messages, and the code of its close frame.
type hearer struct {
	texts []string
	code  int
}

func (s *script) code(t *testing.T) int {
	var all []frame
	for r := bytes.NewReader(s.said.Bytes()); ; {
		f, err := readFrame(r)
		if errors.Is(err, io.EOF) {
			return closeCode(all)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
}

// hearing returns what the hub hears.
func hearing(t *testing.T, sent string, piece int) hearer {
	h := New(Config{FrameBurst: -1}, newTruth(), newMedium(), quiet())
	s := &script{sent: []byte(sent), piece: piece}
	w := h.NewWire(s, nil)
	c := h.Register(w, WebSocket, "u", &owner{})
	l := &listener{limit: 1 << 20}
	c.Read(l)
	h.tasks.wait()
	return hearer{l.texts, s.code(t)}
}

// hearingOfCoder returns what coder/websocket hears.
func hearingOfCoder(t *testing.T, sent string) hearer {
	s := &script{sent: []byte(sent), piece: len(sent) + 1}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(k, v)
	}
	ws, err := websocket.Accept(&scripted{httptest.NewRecorder(), s}, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	ws.SetReadLimit(-1)
	var got hearer
	for {
		_, p, err := ws.Read(context.Background())
		if err != nil {
			got.code = s.code(t)
			return got
		}
		got.texts = append(got.texts, string(p))
	}
}

type scripted struct {
	*httptest.ResponseRecorder
	script *script
}

func (s *scripted) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return s.script, bufio.NewReadWriter(bufio.NewReader(s.script), bufio.NewWriter(s.script)), nil
}

// Whatever the pieces in which a socket yields them, messages arrive whole and in order.
func TestMessagesInAnyPieces(t *testing.T) {
	long := strings.Repeat("c", 65537)
	sent := masked(1, strings.Repeat("a", 200)) + masked(9, "") + fragment(1, strings.Repeat("b", 126)) + masked(9, "between") +
		fragment(0, "") + masked(0, "end") + masked(1, "") + longFrame(2, long) + masked(10, "x") + masked(8, "\x03\xe8")
	want := []string{strings.Repeat("a", 200), strings.Repeat("b", 126) + "end", "", long}
	for _, piece := range []int{1, 2, 3, 5, 7, 13, 64, 255, 256, 257, 4095, 4096, 4097, len(sent)} {
		if got := hearing(t, sent, piece); !slices.Equal(got.texts, want) || got.code != 1000 {
			t.Errorf("pieces of %d: %d messages, closed with %d", piece, len(got.texts), got.code)
		}
	}
}

// longFrame is masked for payloads of any length.
func longFrame(op byte, payload string) string {
	b := append([]byte{0x80 | op, 0x80 | 127}, binary.BigEndian.AppendUint64(nil, uint64(len(payload)))...)
	return string(b) + "\x00\x00\x00\x00" + payload
}

func TestFramesThatBreakTheProtocol(t *testing.T) {
	for name, tc := range map[string]struct {
		sent string
		code int
	}{
		"reserved bit":                 {"\xc1\x80\x00\x00\x00\x00", 1002},
		"no mask":                      {"\x81\x01x", 1002},
		"unknown opcode":               {masked(3, ""), 1002},
		"unknown control":              {masked(11, ""), 1002},
		"control in fragments":         {fragment(9, ""), 1002},
		"long control":                 {masked(9, strings.Repeat("x", 126)), 1002},
		"continues nothing":            {masked(0, "x"), 1002},
		"a message in a message":       {fragment(1, "x") + masked(1, "y"), 1002},
		"a length beyond all":          {"\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 1002},
		"a ping beyond all":            {"\x89\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 1002},
		"a close code cut off":         {masked(8, "\x03"), 1002},
		"a close code that is not one": {masked(8, "\x03\xed"), 1002},
		"a close reason not in UTF-8":  {masked(8, "\x03\xe8\xff"), 1007},
		"a message too big":            {longFrame(1, strings.Repeat("x", 1<<20+1)), 1009},
		"fragments too big":            {"\x01" + longFrame(1, strings.Repeat("x", 1<<20))[1:] + masked(0, "x"), 1009},
	} {
		if got := hearing(t, masked(1, "before")+tc.sent+masked(1, "after"), 1<<20); got.code != tc.code || !slices.Equal(got.texts, []string{"before"}) {
			t.Errorf("%s: heard %.40q, closed with %d", name, got.texts, got.code)
		}
	}
}

// What a peer announces and does not send takes no memory.
func TestAnnouncedBytesAreNotReserved(t *testing.T) {
	h := New(Config{}, newTruth(), newMedium(), quiet())
	announced := "\x81\xff\x00\x00\x00\x00\x00\x0f\xff\xff\x00\x00\x00\x00" + strings.Repeat("x", 2*waitingBuffer)
	w := h.NewWire(&script{sent: []byte(announced), piece: len(announced)}, nil)
	c := h.Register(w, WebSocket, "u", &owner{})
	w.reader = &listener{limit: 1 << 20}
	in := h.intakes.get(w)
	if err := in.run(); !errors.Is(err, io.EOF) || len(in.buf) > intakeBuffer {
		t.Errorf("%v, with a buffer of %d bytes", err, len(in.buf))
	}
	c.CloseNow()
	h.tasks.wait()
}

// FuzzIntake compares the hub with coder/websocket, which is less strict in four points: it drops a
// frame without a mask without a word, takes any bytes for a reason, may take what has come of a
// frame for the whole when the peer ends inside it, and has no limit here.
func FuzzIntake(f *testing.F) {
	for _, s := range []string{masked(1, "hello"), fragment(1, "a") + masked(9, "p") + masked(0, "b"), masked(8, "\x03\xe8bye"), masked(8, ""),
		"\x81\xfe\x00\x01", "\x81\xff000000000000", longFrame(1, "long"), "\x81\x00", masked(3, ""), masked(8, "\x03"), masked(10, "")} {
		f.Add(s, 1)
		f.Add(s+s, 3)
	}
	f.Fuzz(func(t *testing.T, sent string, piece int) {
		if piece <= 0 || len(sent) > 1<<16 {
			return
		}
		got, want := hearing(t, sent, piece), hearingOfCoder(t, sent)
		if n := len(got.texts); len(want.texts) == n+1 && (got.code == 0 || got.code == codeTooBig) {
			want.texts = want.texts[:n]
		}
		if !slices.Equal(got.texts, want.texts) {
			t.Errorf("heard %q, coder/websocket %q", got.texts, want.texts)
		}
		if got.code != want.code && got.code != codeTooBig && got.code != codeNotUTF8 && (want.code != 0 || got.code != 1002) {
			t.Errorf("closed with %d, coder/websocket with %d", got.code, want.code)
		}
	})
}

// A frame of which only a part comes ends its connection like silence, however slowly more of it
// comes: only what is whole is a sign of life.
func TestHalfAFrameIsNoSignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{PingEvery: 25 * time.Second}, nil)
		c := n.client("u", WebSocket)
		c.conn.Read(&listener{})
		c.sink.receive(masked(1, strings.Repeat("x", 100))[:3])
		for range 90 {
			time.Sleep(time.Second)
			c.sink.receive("x")
		}
		c.wantClosed(t, ErrHeartbeat)
	})
}

// The same of a header of which only the first byte has come.
func TestHalfAHeaderIsNoSignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{PingEvery: 25 * time.Second}, nil)
		c := n.client("u", WebSocket)
		c.conn.Read(&listener{})
		time.Sleep(20 * time.Second)
		c.sink.receive("\x81")
		time.Sleep(20 * time.Second)
		c.wantClosed(t, ErrHeartbeat)
	})
}
