package bus

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"time"

	"github.com/nats-io/nats.go"
)

// fault is why a message is not believed.
type fault uint8

const (
	sound     fault = iota
	unsigned        // it has no signature
	malformed       // it is cut off
	strange         // its key is not known, or no longer
	forged          // its tag is wrong
	stale           // it is older than Freshness, or from the future
	replayed        // it was received before
	faults          // how many there are
)

// reasonNames are the faults as metrics and the log name them.
func reasonNames() [faults]string {
	return [faults]string{"", "unsigned", "malformed", "unknown_key", "forged", "stale", "replayed"}
}

// opener judges what a process receives. It is for one goroutine.
type opener struct {
	self    [senderSize]byte // this process, which hears itself only if somebody repeats it
	macs    map[uint32]hash.Hash
	senders map[[senderSize]byte]*sender

	bound, sum, beside []byte // reused
}

// sender is a process whose signature was good, as long as anything that it has sent is fresh.
type sender struct {
	boxes  map[uint32]cipher.AEAD
	window window
	newest uint64 // the latest time of a message, in milliseconds
}

func newOpener(self [senderSize]byte) *opener {
	return &opener{self: self, macs: map[uint32]hash.Hash{}, senders: map[[senderSize]byte]*sender{}}
}

// open returns the body of a message, which shares m's memory.
func (o *opener) open(r *keyring, m *nats.Msg) (body []byte, trace string, why fault) {
	if len(m.Header) > 0 {
		trace = m.Header.Get(traceHeader)
		if text := m.Header.Get(sealHeader); text != "" {
			return o.openBeside(r, m, trace, text)
		}
	}
	frame := m.Data
	if len(frame) == 0 || frame[0] != formSigned && frame[0] != formBoxed {
		return frame, trace, unsigned
	}
	if len(frame) < sealSize {
		return nil, trace, malformed
	}
	h := readHead(frame)
	if h.form == formBoxed {
		body, why = o.unbox(r, m.Subject, trace, h, frame)
		return body, trace, why
	}
	body = frame[sealSize:]
	return body, trace, o.verify(r, m.Subject, trace, h, frame[:sealSize], body)
}

// openBeside judges a message whose head and tag are in a header.
func (o *opener) openBeside(r *keyring, m *nats.Msg, trace, text string) ([]byte, string, fault) {
	if base64.StdEncoding.DecodedLen(len(text)) > sealSize+2 {
		return nil, trace, malformed
	}
	var err error
	o.beside, err = base64.StdEncoding.AppendDecode(o.beside[:0], []byte(text))
	if err != nil || len(o.beside) != sealSize || o.beside[0] != formSigned {
		return nil, trace, malformed
	}
	return m.Data, trace, o.verify(r, m.Subject, trace, readHead(o.beside), o.beside, m.Data)
}

// verify judges a signed message by its head and tag.
func (o *opener) verify(r *keyring, subject, trace string, h head, seal, body []byte) fault {
	key := r.believed[h.key]
	if key == nil {
		return strange
	}
	mac := o.macs[h.key]
	if mac == nil {
		o.forgetMacs(r)
		mac = hmac.New(sha256.New, key.mac)
		o.macs[h.key] = mac
	}
	o.bound = appendBound(o.bound[:0], seal[:headSize], subject, trace)
	o.sum = tagOf(mac, o.sum, o.bound, body)
	if !hmac.Equal(o.sum[:tagSize], seal[headSize:sealSize]) {
		return forged
	}
	return o.admit(r, h, o.senders[h.sender])
}

// forgetMacs drops the keys that are no longer believed.
func (o *opener) forgetMacs(r *keyring) {
	for id := range o.macs {
		if r.believed[id] == nil {
			delete(o.macs, id)
		}
	}
}

// unbox decrypts a message in its own memory.
func (o *opener) unbox(r *keyring, subject, trace string, h head, frame []byte) ([]byte, fault) {
	key := r.believed[h.key]
	if key == nil {
		return nil, strange
	}
	from := o.senders[h.sender]
	var box cipher.AEAD
	if from != nil {
		box = from.boxes[h.key]
	}
	if box == nil {
		var err error
		if box, err = key.boxFor(h.sender); err != nil {
			return nil, forged
		}
	}
	o.bound = appendBound(o.bound[:0], frame[:headSize], subject, trace)
	body, err := box.Open(frame[headSize:headSize], nonceOf(frame[:headSize]), frame[headSize:], o.bound)
	if err != nil {
		return nil, forged
	}
	why := o.admit(r, h, from)
	if from = o.senders[h.sender]; from != nil {
		from.boxes[h.key] = box
	}
	return body, why
}

// admit judges the age and the number of a message whose tag is good.
func (o *opener) admit(r *keyring, h head, from *sender) fault {
	now := r.clock()
	if age := now.UnixMilli() - int64(h.millis); age > Freshness.Milliseconds() || age < -Freshness.Milliseconds() { //nolint:gosec // of 48 bits
		return stale
	}
	if h.sender == o.self {
		return replayed
	}
	if from == nil {
		o.forgetSenders(now)
		from = &sender{boxes: map[uint32]cipher.AEAD{}}
		o.senders[h.sender] = from
	}
	if !from.window.take(h.number) {
		return replayed
	}
	from.newest = max(from.newest, h.millis)
	return sound
}

// forgetSenders drops those of whom everything received is stale by now.
func (o *opener) forgetSenders(now time.Time) {
	for id, from := range o.senders {
		if now.UnixMilli()-int64(from.newest) > Freshness.Milliseconds() { //nolint:gosec // of 48 bits
			delete(o.senders, id)
		}
	}
}

const (
	windowBlocks = 17
	windowSize   = (windowBlocks - 1) * 64 // messages that may overtake one another
)

// window remembers which of a sender's latest numbers have come. What is older than windowSize
// numbers counts as having come.
type window struct {
	last uint64
	seen [windowBlocks]uint64
}

// take reports whether a number comes for the first time, and notes it.
func (w *window) take(n uint64) bool {
	block := n / 64
	if n > w.last {
		for b := w.last/64 + 1; b <= min(block, w.last/64+windowBlocks); b++ {
			w.seen[b%windowBlocks] = 0
		}
		w.last = n
	} else if w.last-n >= windowSize {
		return false
	}
	bit := uint64(1) << (n % 64)
	if w.seen[block%windowBlocks]&bit != 0 {
		return false
	}
	w.seen[block%windowBlocks] |= bit
	return true
}
