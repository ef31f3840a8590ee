package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"
)

// knock asks to open a WebSocket, from an address, perhaps by a proxy, and with a
// credential or none. It returns the status: 426, as no handshake follows, where there is
// a place.
func knock(s *Server, peer, forwarded, credential string) int {
	r := httptest.NewRequest(http.MethodGet, "/ws", nil)
	r.RemoteAddr = peer + ":1000"
	if forwarded != "" {
		r.Header.Set("X-Forwarded-For", forwarded)
	}
	if credential != "" {
		r.Header.Set("Authorization", credential)
	}
	return serve(s.Handler(), r).Code
}

const (
	turnedAway = http.StatusServiceUnavailable
	admitted   = http.StatusUpgradeRequired
)

// Those who do not say who they are leave places for the others, whether they bring
// no credential or one that does not hold; their places are free again when they are
// gone, or known.
func TestStrangersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, told := lonely(t, nil)
		s := c.server
		if !c.beStranger(source{"192.0.2.1", "192.0.2.0/24"}) || s.realtime.strangers.total != 1 {
			t.Fatalf("%d strangers", s.realtime.strangers.total)
		}
		for i := range maxStrangers - 1 {
			if s.realtime.strangers.enter(source{fmt.Sprint("address ", i), fmt.Sprint("network ", i)}) == nil {
				t.Fatalf("no place for number %d", i)
			}
		}
		if code := knock(s, "203.0.113.7", "", ""); code != turnedAway {
			t.Errorf("one more without a credential: %d", code)
		}
		if code := knock(s, "203.0.113.7", "", "Bearer "+wellFormedToken); code != admitted {
			t.Errorf("with a credential: %d", code)
		}
		if other := (&connection{server: s}); other.beStranger(source{"203.0.113.7", "203.0.113.0/24"}) {
			t.Error("one more whose credential did not hold has time to say auth")
		}
		c.socket.CloseNow()
		<-told
		synctest.Wait()
		if n := s.realtime.strangers.total; n != maxStrangers-1 {
			t.Errorf("%d strangers when one has gone", n)
		}
		if code := knock(s, "203.0.113.7", "", ""); code != admitted {
			t.Errorf("in the place that is free: %d", code)
		}
	})
}

// One address does not take the places of the others: that of the peer, or the one that a
// trusted proxy reports, whatever is written in front of it.
func TestStrangersOfOneAddressAreBounded(t *testing.T) {
	s := over(t, nil)
	s.cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	var leave func()
	for i := range maxStrangersPerAddress {
		if leave = s.realtime.strangers.enter(source{"203.0.113.7", "203.0.113.0/24"}); leave == nil {
			t.Fatalf("no place for number %d", i)
		}
		if s.realtime.strangers.enter(source{"2001:db8:1:2::/64", "2001:db8:1::/48"}) == nil {
			t.Fatalf("no place for number %d", i)
		}
	}
	for name, tc := range map[string]struct {
		peer, forwarded string
		want            int
	}{
		"the address":                      {"203.0.113.7", "", turnedAway},
		"as an IPv4-mapped address":        {"[::ffff:203.0.113.7]", "", turnedAway},
		"behind a proxy":                   {"10.0.0.1", "203.0.113.7", turnedAway},
		"behind a proxy, another in front": {"10.0.0.1", "198.51.100.1, 203.0.113.7", turnedAway},
		"behind nobody trusted":            {"203.0.113.7", "198.51.100.1", turnedAway},
		"the same home":                    {"[2001:db8:1:2:3::4]", "", turnedAway},
		"another address":                  {"203.0.113.8", "", admitted},
		"another behind the proxy":         {"10.0.0.1", "203.0.113.8", admitted},
		"another home":                     {"[2001:db8:1:3::1]", "", admitted},
	} {
		if code := knock(s, tc.peer, tc.forwarded, ""); code != tc.want {
			t.Errorf("%s: %d", name, code)
		}
		if code := knock(s, tc.peer, tc.forwarded, "Bearer "+wellFormedToken); code != admitted {
			t.Errorf("%s, with a credential: %d", name, code)
		}
	}
	if other := (&connection{server: s}); other.beStranger(source{"203.0.113.7", "203.0.113.0/24"}) {
		t.Error("one more whose credential did not hold has time to say auth")
	}
	for i := range 3 { // a /48 has 65,536 addresses, but not their places
		for range maxStrangersPerAddress {
			if s.realtime.strangers.enter(source{fmt.Sprint("home ", i), "2001:db8:1::/48"}) == nil {
				t.Fatalf("no place for home %d", i)
			}
		}
	}
	if code := knock(s, "[2001:db8:1:9::1]", "", ""); code != turnedAway {
		t.Errorf("a fifth home of the network: %d", code)
	}
	leave()
	if code := knock(s, "203.0.113.7", "", ""); code != admitted {
		t.Errorf("in the place that is free: %d", code)
	}
}
