package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// ErrFormat is returned for a string that is not an Argon2id hash in PHC form, or
// whose cost is more than this package computes.
var ErrFormat = errors.New("not an argon2id hash")

// Bounds on a stored hash: a damaged row must not exhaust the machine's memory.
const (
	maxMemoryKiB = 256 * 1024
	maxPasses    = 16
	maxLanes     = 16
	maxBytes     = 128
)

// hash is one parsed PHC string: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
type hash struct {
	version int
	memory  uint32
	passes  uint32
	lanes   uint8
	salt    []byte
	key     []byte
}

// String returns the PHC form.
func (h hash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		h.version, h.memory, h.passes, h.lanes, b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

func parse(s string) (hash, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return hash{}, ErrFormat
	}
	var h hash
	if _, err := fmt.Sscanf(parts[2], "v=%d", &h.version); err != nil {
		return hash{}, ErrFormat
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil {
		return hash{}, ErrFormat
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.key, err2 = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	// Formatting it must restore the same string: Sscanf alone accepts leading zeros,
	// signs and anything after the last number.
	if err := errors.Join(err1, err2); err != nil || !h.payable() || h.String() != s {
		return hash{}, ErrFormat
	}
	return h, nil
}

// payable reports whether the cost is within the bounds of this package.
func (h hash) payable() bool {
	return h.version == argon2.Version &&
		h.passes >= 1 && h.passes <= maxPasses &&
		h.lanes >= 1 && h.lanes <= maxLanes &&
		h.memory >= 8*uint32(h.lanes) && h.memory <= maxMemoryKiB &&
		len(h.salt) >= 8 && len(h.salt) <= maxBytes &&
		len(h.key) >= 16 && len(h.key) <= maxBytes
}

// dummy is what VerifyNone compares with: the cost of a new hash, and a key that no
// password has.
func dummy() hash {
	return hash{
		version: argon2.Version, memory: memoryKiB, passes: passes, lanes: lanes,
		salt: make([]byte, saltBytes), key: make([]byte, keyBytes),
	}
}
