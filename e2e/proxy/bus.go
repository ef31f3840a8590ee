package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
)

// Noise is how often a NATS message from the server is lost, comes twice, or is overtaken
// by the next: shares of 1.
type Noise struct {
	Drop, Double, Reorder float64
}

// Bus is a proxy before a NATS server that spoils whole messages and leaves the rest of
// the protocol alone.
type Bus struct {
	*Proxy
	mu    sync.Mutex
	noise Noise
	rng   *rand.Rand
	seen  NoiseCount
}

// NoiseCount counts the messages that came, and what became of them.
type NoiseCount struct {
	Messages, Dropped, Doubled, Reordered int
}

// ListenBus is Listen for NATS. The seed decides which messages are spoiled.
func ListenBus(seed uint64) (*Bus, error) {
	b := &Bus{rng: rand.New(rand.NewPCG(seed, 0))}
	p, err := listen(func(r io.Reader) io.Reader { return &frameReader{bus: b, in: bufio.NewReaderSize(r, chunkBytes)} })
	if err != nil {
		return nil, err
	}
	b.Proxy = p
	return b, nil
}

// SetNoise replaces the noise.
func (b *Bus) SetNoise(n Noise) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.noise = n
}

// Counts returns what was spoiled so far.
func (b *Bus) Counts() NoiseCount {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen
}

type fate uint8

const (
	passed fate = iota
	dropped
	doubled
	overtaken
)

// decide draws the fate of the next message.
func (b *Bus) decide() fate {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen.Messages++
	draw := b.rng.Float64()
	if draw < b.noise.Drop {
		b.seen.Dropped++
		return dropped
	}
	if draw -= b.noise.Drop; draw < b.noise.Double {
		b.seen.Doubled++
		return doubled
	}
	if draw -= b.noise.Double; draw < b.noise.Reorder {
		b.seen.Reordered++
		return overtaken
	}
	return passed
}

// frameReader reads the server's half of one connection frame by frame and yields the
// spoiled stream. What is overtaken waits for the next frame, whatever that is: at the
// latest the next PING.
type frameReader struct {
	bus  *Bus
	in   *bufio.Reader
	out  bytes.Buffer // ready to be read
	late []byte       // overtaken
}

// Read is io.Reader.
func (f *frameReader) Read(p []byte) (int, error) {
	for f.out.Len() == 0 {
		frame, message, err := f.next()
		if err != nil {
			return 0, err
		}
		f.spoil(frame, message)
	}
	return f.out.Read(p)
}

func (f *frameReader) spoil(frame []byte, message bool) {
	what := passed
	if message {
		what = f.bus.decide()
	}
	if what == overtaken && f.late == nil {
		f.late = frame
		return
	}
	if what != dropped {
		f.out.Write(frame)
	}
	if what == doubled {
		f.out.Write(frame)
	}
	f.out.Write(f.late)
	f.late = nil
}

// next reads one frame of the protocol, and reports whether it carries a message.
func (f *frameReader) next() (frame []byte, message bool, err error) {
	line, err := f.in.ReadBytes('\n')
	if err != nil {
		return nil, false, err
	}
	verb, rest, _ := strings.Cut(string(line), " ")
	if verb != "MSG" && verb != "HMSG" {
		return line, false, nil
	}
	words := strings.Fields(rest)
	if len(words) < 3 {
		return nil, false, fmt.Errorf("read NATS frame: %q", line)
	}
	size, err := strconv.Atoi(words[len(words)-1])
	if err != nil {
		return nil, false, fmt.Errorf("read NATS frame: %q", line)
	}
	frame = append(line, make([]byte, size+2)...)
	_, err = io.ReadFull(f.in, frame[len(line):])
	return frame, true, err
}
