package chat

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// DeviceTTL is how long a device is known after a log-in.
const DeviceTTL = 180 * 24 * time.Hour

// DeviceToken returns what proves that somebody has just logged in under a username. It
// opens nothing: it only keeps those who guess at an account from holding up its owner.
// Any node of the same database understands it.
func (s *Service) DeviceToken(username string) string {
	return s.deviceToken(username, time.Now())
}

func (s *Service) deviceToken(username string, at time.Time) string {
	stamp := binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(stamp, s.fingerprint("device", username, string(stamp))...))
}

// KnowsDevice reports whether the token was made for this username within DeviceTTL.
func (s *Service) KnowsDevice(username, token string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < 8 {
		return false
	}
	at := time.Unix(int64(binary.BigEndian.Uint64(raw[:8])), 0) //nolint:gosec // the fingerprint shows whether it is ours
	age := time.Since(at)
	return age > -time.Hour && age < DeviceTTL && hmac.Equal([]byte(token), []byte(s.deviceToken(username, at)))
}
