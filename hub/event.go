package hub

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Kind is what the hub must know of an event beyond its bytes. It is a set of flags; unknown flags
// are passed on.
type Kind uint8

const (
	// Plain events are only carried.
	Plain Kind = 0
	// Removed ends the subscriptions of user Subject that are older than the event.
	Removed Kind = 1 << 0
	// Content marks an event whose data holds the text of the message created at seq Target.
	Content Kind = 1 << 1
	// Rewrite marks an edit or a deletion of the message created at seq Target: text in earlier
	// events is stale. An edit is Content|Rewrite.
	Rewrite Kind = 1 << 2
	// Passing marks what is not an event of the log: see Hub.Pass.
	Passing Kind = 1 << 3
	// Ended is Removed for every user.
	Ended Kind = 1 << 4
)

// Has reports whether every flag of f is set.
func (k Kind) Has(f Kind) bool { return k&f == f }

// Event is one numbered change of a stream. Data must not change once the hub has the event.
type Event struct {
	Stream  string // chat id or user id
	Seq     int64  // 1, 2, 3 … without holes in a stream
	Op      string // the SSE event name
	Kind    Kind
	Subject string // Removed: the removed user
	Target  int64  // Content, Rewrite: the seq of the message itself
	Data    []byte // the event's JSON object, encoded once
	Epoch   uint64 // the database history known to the publishing hub, 0: none; set by Hub.Publish
	Trace   string // set on a traced event (Config.Delivered); travels beside the binary form
	// Stamp is the database's time of the event in milliseconds, 0 if unknown: with Seq it names
	// the event. It does not travel; Config.Check finds it in Data.
	Stamp int64

	origin origin // set by the hub
}

// origin is how the hub came by an event.
type origin uint8

const (
	stored    origin = iota // read from the database
	committed               // by this node
	heard                   // from the bus
)

// contradicts reports whether e and an event of the same seq that was heard are not the same. What
// this node has committed is known to the last byte; what was read may hold newer text.
func (e Event) contradicts(was *ringEntry) bool {
	switch {
	case was.origin != heard:
		return false
	case e.Stamp != 0 && was.Stamp != 0 && e.Stamp != was.Stamp:
		return true
	}
	return e.origin == committed && !was.stale && !bytes.Equal(e.Data, was.Data)
}

// ErrBadEvent is wrapped by every error of ParseEvent and AppendBinary.
var ErrBadEvent = errors.New("bad event")

const (
	eventVersion = 1
	eventHeader  = 1 + 1 + 8 + 8 + 8 + 3 // version, kind, seq, target, epoch, three lengths
)

// AppendBinary appends the form that travels on the bus: a fixed header, the three names, then
// Data.
func (e Event) AppendBinary(b []byte) ([]byte, error) {
	if err := e.valid(); err != nil {
		return b, err
	}
	b = append(b, eventVersion, byte(e.Kind))
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(e.Target))
	b = binary.BigEndian.AppendUint64(b, e.Epoch)
	b = append(b, byte(len(e.Stream)), byte(len(e.Op)), byte(len(e.Subject))) //nolint:gosec // valid bounds them
	b = append(b, e.Stream...)
	b = append(b, e.Op...)
	b = append(b, e.Subject...)
	return append(b, e.Data...), nil
}

// ParseEvent reads the form written by AppendBinary. Data of the result is part of b, which must
// not change afterwards.
func ParseEvent(b []byte) (Event, error) {
	if len(b) < eventHeader {
		return Event{}, fmt.Errorf("%w: %d bytes is too short", ErrBadEvent, len(b))
	}
	if b[0] != eventVersion {
		return Event{}, fmt.Errorf("%w: unknown version %d", ErrBadEvent, b[0])
	}
	stream, op, subject := int(b[26]), int(b[27]), int(b[28])
	rest := b[eventHeader:]
	if len(rest) < stream+op+subject {
		return Event{}, fmt.Errorf("%w: truncated names", ErrBadEvent)
	}
	e := Event{
		Kind:    Kind(b[1]),
		Seq:     int64(binary.BigEndian.Uint64(b[2:])),  //nolint:gosec // valid refuses what is negative
		Target:  int64(binary.BigEndian.Uint64(b[10:])), //nolint:gosec // likewise
		Epoch:   binary.BigEndian.Uint64(b[18:]),
		Stream:  string(rest[:stream]),
		Op:      string(rest[stream : stream+op]),
		Subject: string(rest[stream+op : stream+op+subject]),
		Data:    rest[stream+op+subject:],
	}
	if err := e.valid(); err != nil {
		return Event{}, err
	}
	return e, nil
}

// endsFor reports whether the event ends the membership that began at added: nothing after it may
// reach the user.
func (e Event) endsFor(user string, added int64) bool {
	return e.Seq > added && (e.Kind.Has(Removed) && e.Subject == user || e.Kind.Has(Ended))
}

// valid returns what is wrong with an event as an error that wraps ErrBadEvent, or nil.
func (e Event) valid() error {
	switch {
	case !isName(e.Stream):
		return fmt.Errorf("%w: stream %q", ErrBadEvent, e.Stream)
	case !isName(e.Op):
		return fmt.Errorf("%w: op %q", ErrBadEvent, e.Op)
	case e.Seq <= 0:
		return fmt.Errorf("%w: seq %d", ErrBadEvent, e.Seq)
	case e.Subject != "" && !isName(e.Subject), e.Kind.Has(Removed) && e.Subject == "":
		return fmt.Errorf("%w: subject %q", ErrBadEvent, e.Subject)
	case e.Target < 0, e.Kind&(Content|Rewrite) != 0 && e.Target == 0:
		return fmt.Errorf("%w: target %d", ErrBadEvent, e.Target)
	case len(e.Data) == 0:
		return fmt.Errorf("%w: no data", ErrBadEvent)
	}
	return nil
}

// isName reports whether s is 1 to 255 visible ASCII characters: safe in a header and in an SSE
// line.
func isName(s string) bool {
	if len(s) == 0 || len(s) > 255 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
