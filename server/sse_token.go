package server

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"fechatter/chat"

	"github.com/google/uuid"
)

const (
	tokenVersion  = 2
	timedVersion  = 1 // had a time where the horizon is
	maxTokenBytes = 4 << 10
	// alwaysNamed is how many chats a token has room for, whatever their seqs.
	alwaysNamed = 100
)

// token is the opaque id that resumes every chat of an SSE stream: the cursors that
// advanced last, and for the others a horizon, below which the client has everything.
type token struct {
	epoch    string
	horizon  chat.Horizon
	complete bool // cursors holds every chat
	cursors  map[string]int64
}

var errToken = errors.New("token not understood")

// encode returns the wire form: base64url of version, flags, horizon, epoch and as many
// cursors, in the given order, as fit.
func (t token) encode(order []string) string {
	b := []byte{tokenVersion, 0}
	b = binary.AppendVarint(b, int64(t.horizon))
	b = binary.AppendUvarint(b, uint64(len(t.epoch)))
	b = append(b, t.epoch...)
	limit := base64.RawURLEncoding.DecodedLen(maxTokenBytes) - binary.MaxVarintLen64 - len(uuid.UUID{})
	complete := t.complete
	for _, id := range order {
		if len(b) > limit {
			complete = false
			break
		}
		parsed, err := uuid.Parse(id)
		if err != nil {
			complete = false
			continue
		}
		b = append(b, parsed[:]...)
		b = binary.AppendUvarint(b, uint64(t.cursors[id])) //nolint:gosec // no seq is negative
	}
	if complete {
		b[1] = 1
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseToken reads what encode made. The time of an older token is worth nothing, since
// clocks go back: it resumes the chats that it names. Every error wraps errToken.
func parseToken(s string) (token, error) {
	if len(s) > maxTokenBytes {
		return token{}, fmt.Errorf("%w: %d bytes", errToken, len(s))
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 2 || b[0] != tokenVersion && b[0] != timedVersion || b[1] > 1 {
		return token{}, fmt.Errorf("%w: not of version %d", errToken, tokenVersion)
	}
	t := token{complete: b[1] == 1, cursors: map[string]int64{}}
	horizon, n := binary.Varint(b[2:])
	if n <= 0 {
		return token{}, fmt.Errorf("%w: horizon", errToken)
	}
	if b[0] == tokenVersion {
		t.horizon = chat.Horizon(horizon)
	}
	b = b[2+n:]
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) { //nolint:gosec // n bytes have been read of b
		return token{}, fmt.Errorf("%w: epoch", errToken)
	}
	t.epoch, b = string(b[n:n+int(size)]), b[n+int(size):] //nolint:gosec // no more than len(b)
	return t, t.parseCursors(b)
}

func (t *token) parseCursors(b []byte) error {
	for len(b) > 0 {
		if len(b) <= len(uuid.UUID{}) {
			return fmt.Errorf("%w: cursor", errToken)
		}
		id := uuid.UUID(b[:len(uuid.UUID{})])
		seq, n := binary.Uvarint(b[len(id):])
		if n <= 0 || seq > math.MaxInt64 {
			return fmt.Errorf("%w: seq", errToken)
		}
		t.cursors[id.String()] = int64(seq)
		b = b[len(id)+n:]
	}
	return nil
}

// recency keeps chats in the order in which their cursors advanced, latest first.
type recency struct {
	cursors map[string]int64
	order   []string
	moves   int // of cursors, since somebody set it to 0
}

// update takes in the current cursors, and reports whether any is new, moved or gone.
func (r *recency) update(now map[string]int64) bool {
	var moved []string
	for id, seq := range now {
		if old, ok := r.cursors[id]; !ok || old != seq {
			moved = append(moved, id)
		}
	}
	gone := len(now) != len(r.cursors)+len(moved)-countOf(moved, r.cursors)
	if len(moved) == 0 && !gone {
		return false
	}
	r.moves += len(moved)
	slices.Sort(moved)
	fresh := make(map[string]bool, len(moved))
	for _, id := range moved {
		fresh[id] = true
	}
	kept := slices.DeleteFunc(r.order, func(id string) bool {
		_, still := now[id]
		return fresh[id] || !still
	})
	r.order = append(moved, kept...)
	r.cursors = maps.Clone(now)
	return true
}

func countOf(ids []string, in map[string]int64) (n int) {
	for _, id := range ids {
		if _, ok := in[id]; ok {
			n++
		}
	}
	return n
}
