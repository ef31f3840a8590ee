package chat

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A device is known to the account under whose name somebody logged in there, for half
// a year, and to nobody else.
func TestKnownDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewService(nil, nil, nil, []byte("secret"), DefaultLimits())
		other := NewService(nil, nil, nil, []byte("of another database"), DefaultLimits())
		token := s.DeviceToken("ada")
		for name, tc := range map[string]struct {
			s               *Service
			username, token string
			want            bool
		}{
			"hers":             {s, "ada", token, true},
			"another's":        {s, "bob", token, false},
			"another database": {other, "ada", token, false},
			"empty":            {s, "ada", "", false},
			"short":            {s, "ada", "AAAA", false},
			"made up":          {s, "ada", strings.Repeat("A", len(token)), false},
			"changed":          {s, "ada", token[:len(token)-4] + "AAAA", false},
			"longer":           {s, "ada", token + "AAAA", false},
			"moved in time":    {s, "ada", s.deviceToken("ada", time.Now().Add(time.Minute))[:11] + token[11:], false},
			"of the future":    {s, "ada", s.deviceToken("ada", time.Now().Add(2*time.Hour)), false},
		} {
			if got := tc.s.KnowsDevice(tc.username, tc.token); got != tc.want {
				t.Errorf("%s: %v", name, got)
			}
		}
		time.Sleep(DeviceTTL - time.Second)
		if !s.KnowsDevice("ada", token) {
			t.Error("forgotten too early")
		}
		time.Sleep(time.Second)
		if s.KnowsDevice("ada", token) {
			t.Error("known for too long")
		}
	})
}
