package hub

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// frame is a server frame as an independent parser reads it.
type frame struct {
	op      byte
	payload []byte
}

func (f frame) String() string { return fmt.Sprintf("%#x %q", f.op, f.payload) }

// readFrame reads one frame strictly: final, no reserved bits, unmasked, shortest length, known
// opcode, text is UTF-8. io.EOF means the end between frames.
func readFrame(r io.Reader) (frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{op: head[0] & 0x0F}
	if head[0]&0xF0 != 0x80 {
		return f, fmt.Errorf("first byte %#x: not final, or reserved bits", head[0])
	}
	if f.op != 1 && f.op != 8 && f.op != 9 && f.op != 10 {
		return f, fmt.Errorf("opcode %d", f.op)
	}
	n := uint64(head[1])
	if n >= 128 {
		return f, errors.New("masked frame from a server")
	}
	if f.op >= 8 && n > 125 {
		return f, errors.New("control frame too long")
	}
	if n >= 126 {
		ext := make([]byte, map[uint64]int{126: 2, 127: 8}[n])
		if _, err := io.ReadFull(r, ext); err != nil {
			return f, torn(err)
		}
		floor := map[int]uint64{2: 126, 8: 1 << 16}[len(ext)]
		if n = binary.BigEndian.Uint64(append(make([]byte, 8-len(ext)), ext...)); n < floor || n > 1<<30 {
			return f, fmt.Errorf("length %d in %d bytes", n, len(ext))
		}
	}
	f.payload = make([]byte, n)
	if _, err := io.ReadFull(r, f.payload); err != nil {
		return f, torn(err)
	}
	if f.op == 1 && !utf8.Valid(f.payload) {
		return f, fmt.Errorf("text is not UTF-8: %q", f.payload)
	}
	return f, nil
}

// torn turns an end inside a frame into an error of its own.
func torn(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("frame torn by the end of the stream")
	}
	return err
}

func FuzzTextFrame(f *testing.F) {
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536, 70000} {
		f.Add(strings.Repeat("x", n))
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		b := appendText(appendText(nil, []byte(text)), []byte("next"))
		r := bytes.NewReader(b)
		for _, want := range []string{text, "next"} {
			got, err := readFrame(r)
			if err != nil {
				t.Fatal(err)
			}
			if got.op != 1 || string(got.payload) != want {
				t.Fatalf("got %v, want %q", got, want)
			}
		}
		if r.Len() != 0 {
			t.Fatalf("%d bytes left", r.Len())
		}
	})
}

// sseEvent is an event block as an independent parser reads it.
type sseEvent struct{ op, data, id string }

// parseSSE reads whole event blocks as the HTML standard says, and fails on a block that is cut
// off.
func parseSSE(s string) ([]sseEvent, error) {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	var events []sseEvent
	for s != "" {
		block, rest, ok := strings.Cut(s, "\n\n")
		if !ok {
			return events, fmt.Errorf("block torn: %q", s)
		}
		s = rest
		var e sseEvent
		var data []string
		for line := range strings.SplitSeq(block, "\n") {
			name, value, _ := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			switch name {
			case "event":
				e.op = value
			case "data":
				data = append(data, value)
			case "id":
				e.id = value
			case "", "retry":
			default:
				return events, fmt.Errorf("unknown field %q", name)
			}
		}
		if e.data = strings.Join(data, "\n"); len(data) > 0 {
			events = append(events, e)
		}
	}
	return events, nil
}

func FuzzBlock(f *testing.F) {
	for _, s := range []string{`{"a":1}`, "", "a\nb", "a\r\nb", "a\rb", "\n", "\r\n\r\n", "data: x\n\nevent: y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		got, err := parseSSE(string(appendBlock(nil, "op", []byte(data))))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(strings.ReplaceAll(data, "\r\n", "\n"), "\r", "\n")
		if len(got) != 1 || got[0].op != "op" || got[0].data != want {
			t.Fatalf("got %q, want one event with %q", got, want)
		}
	})
}

func TestControlFrames(t *testing.T) {
	long := strings.Repeat("r", 300)
	f, err := readFrame(bytes.NewReader(closeFrame(4002, long)))
	if err != nil || f.op != 8 || binary.BigEndian.Uint16(f.payload) != 4002 || string(f.payload[2:]) != long[:123] {
		t.Errorf("close frame %v, error %v", f, err)
	}
}
