package bus

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"time"
)

// A message on the bus is a head, a tag and the body:
//
//	form 1 | key 4 | sender 16 | time 6 | number 6 | tag 16 | body      signed
//	form 1 | key 4 | sender 16 | time 6 | number 6 | encrypted body | tag 16
//
// The tag covers the head, the subject, the trace and the body, so that nothing can be moved
// from one subject to another. The sender is drawn anew by each process, and numbers its
// messages; the time is that of the database in milliseconds. Next to a node that does not
// know signatures, head and tag of a signed message travel in a header instead, in base64.
const (
	// No message of a node that does not sign begins like these: an event begins with 1,
	// everything else with a character.
	formSigned = 2
	formBoxed  = 3

	senderSize = 16
	headSize   = 1 + 4 + senderSize + 6 + 6
	tagSize    = 16
	sealSize   = headSize + tagSize

	most48 = 1<<48 - 1
)

// head is the part of a message that says how to read it.
type head struct {
	form   byte
	key    uint32
	sender [senderSize]byte
	millis uint64 // 48 bits
	number uint64 // 48 bits
}

func (h *head) append(b []byte) []byte {
	b = append(b, h.form)
	b = binary.BigEndian.AppendUint32(b, h.key)
	b = append(b, h.sender[:]...)
	b = append48(b, h.millis)
	return append48(b, h.number)
}

func append48(b []byte, n uint64) []byte {
	b = binary.BigEndian.AppendUint64(b, n<<16)
	return b[:len(b)-2]
}

func read48(b []byte) uint64 {
	return uint64(binary.BigEndian.Uint16(b))<<32 | uint64(binary.BigEndian.Uint32(b[2:]))
}

// readHead reads what append wrote; b has at least headSize bytes.
func readHead(b []byte) (h head) {
	h.form = b[0]
	h.key = binary.BigEndian.Uint32(b[1:])
	copy(h.sender[:], b[5:])
	h.millis = read48(b[5+senderSize:])
	h.number = read48(b[11+senderSize:])
	return h
}

// nonceOf is unique for a sender's key: the number never repeats within a process. Should a
// machine be brought back to an earlier state, the time still differs.
func nonceOf(head []byte) []byte { return head[5+senderSize : headSize] }

// appendBound appends what a tag covers besides the body: the head, the subject and the trace.
// NATS takes no subject of more than a few KB; a trace may have any length, as nothing follows it.
func appendBound(b, head []byte, subject, trace string) []byte {
	b = append(b, head...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(subject))) //nolint:gosec // see above
	b = append(b, subject...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(trace))) //nolint:gosec // see above
	return append(b, trace...)
}

// boxFor returns the cipher of one sender: with a key of its own, so that nodes need not agree
// on nonces.
func (d *derived) boxFor(sender [senderSize]byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, d.box, sender[:], boxPurpose, secretSize)
	if err != nil {
		return nil, fmt.Errorf("derive key of sender: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

// sealer signs or encrypts what a process sends. It is for one goroutine.
type sealer struct {
	sender  [senderSize]byte
	number  uint64
	encrypt bool

	ring *keyring // from which the next two are
	mac  hash.Hash
	box  cipher.AEAD

	bound, frame, sum []byte // reused
}

func newSealer(encrypt bool) *sealer {
	s := &sealer{encrypt: encrypt}
	rand.Read(s.sender[:]) // never fails
	return s
}

// use prepares the key to sign with.
func (s *sealer) use(r *keyring) error {
	if s.ring != nil && s.ring.sign.id == r.sign.id {
		s.ring = r
		return nil
	}
	box, err := r.sign.boxFor(s.sender)
	if err != nil {
		return err
	}
	s.ring, s.mac, s.box = r, hmac.New(sha256.New, r.sign.mac), box
	return nil
}

// next returns the head of the next message.
func (s *sealer) next(form byte, now time.Time) head {
	s.number++
	return head{form: form, key: s.ring.sign.id, sender: s.sender, millis: uint64(now.UnixMilli()) & most48, number: s.number & most48}
}

// seal returns the message for a body. It is valid until the next call.
func (s *sealer) seal(subject, trace string, body []byte) []byte {
	form := byte(formSigned)
	if s.encrypt {
		form = formBoxed
	}
	h := s.next(form, s.ring.clock())
	s.frame = h.append(s.frame[:0])
	s.bound = appendBound(s.bound[:0], s.frame, subject, trace)
	if s.encrypt {
		s.frame = s.box.Seal(s.frame, nonceOf(s.frame[:headSize]), body, s.bound)
		return s.frame
	}
	s.frame = append(s.frame, s.tag(body)...)
	s.frame = append(s.frame, body...)
	return s.frame
}

// beside returns head and tag of a signed message whose body stays as it is. They are valid
// until the next call.
func (s *sealer) beside(subject, trace string, body []byte) []byte {
	h := s.next(formSigned, s.ring.clock())
	s.frame = h.append(s.frame[:0])
	s.bound = appendBound(s.bound[:0], s.frame, subject, trace)
	s.frame = append(s.frame, s.tag(body)...)
	return s.frame
}

func (s *sealer) tag(body []byte) []byte {
	s.sum = tagOf(s.mac, s.sum, s.bound, body)
	return s.sum[:tagSize]
}

// tagOf computes the tag of a signed message into sum, which it may replace.
func tagOf(mac hash.Hash, sum, bound, body []byte) []byte {
	mac.Reset()
	_, _ = mac.Write(bound) // a hash never fails
	_, _ = mac.Write(body)
	return mac.Sum(sum[:0])
}
