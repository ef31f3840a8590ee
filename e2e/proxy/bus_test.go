package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// through passes messages of two lines, with other frames between them, through a frame
// reader and returns what comes out, in order.
func through(t *testing.T, n Noise, messages int) (out []int, count NoiseCount) {
	t.Helper()
	var in strings.Builder
	in.WriteString("INFO {\"x\":1}\r\n")
	for i := range messages {
		body := fmt.Sprintf("%d\r\nMSG", i)
		fmt.Fprintf(&in, "MSG fechatter.chat.x 1 %d\r\n%s\r\n", len(body), body)
		if i%10 == 0 {
			in.WriteString("PING\r\n")
		}
	}
	in.WriteString("PONG\r\n")
	b := &Bus{rng: rand.New(rand.NewPCG(1, 0)), noise: n}
	r := bufio.NewReader(&frameReader{bus: b, in: bufio.NewReader(strings.NewReader(in.String()))})
	whole, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	again := &frameReader{bus: &Bus{}, in: bufio.NewReader(strings.NewReader(string(whole)))}
	for others := 0; ; {
		frame, message, err := again.next()
		if errors.Is(err, io.EOF) {
			if want := 2 + (messages+9)/10; others != want {
				t.Errorf("%d other frames, want %d", others, want)
			}
			return out, b.Counts()
		}
		if err != nil {
			t.Fatal(err)
		}
		if !message {
			others++
			continue
		}
		var i int
		if _, err := fmt.Sscanf(strings.SplitN(string(frame), "\r\n", 2)[1], "%d", &i); err != nil {
			t.Fatal(err)
		}
		out = append(out, i)
	}
}

func TestBusWithoutNoise(t *testing.T) {
	out, count := through(t, Noise{}, 100)
	if len(out) != 100 || !slices.IsSorted(out) || count.Messages != 100 {
		t.Errorf("%v came through (%+v)", out, count)
	}
}

func TestBusNoise(t *testing.T) {
	const messages = 2000
	out, count := through(t, Noise{Drop: 0.05, Double: 0.05, Reorder: 0.05}, messages)
	for what, n := range map[string]int{"dropped": count.Dropped, "doubled": count.Doubled, "reordered": count.Reordered} {
		if n < messages/40 || n > messages/10 {
			t.Errorf("%d %s of %d", n, what, messages)
		}
	}
	if want := messages - count.Dropped + count.Doubled; len(out) != want {
		t.Errorf("%d came through, want %d", len(out), want)
	}
	if slices.IsSorted(out) {
		t.Error("nothing was reordered")
	}
}
