package server

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestSourceOf(t *testing.T) {
	for at, want := range map[string]source{
		"203.0.113.7":            {"203.0.113.7", "203.0.113.0/24"},
		"::ffff:203.0.113.7":     {"203.0.113.7", "203.0.113.0/24"},
		"64:ff9b::203.0.113.7":   {"203.0.113.7", "203.0.113.0/24"},
		"64:ff9c::203.0.113.7":   {"64:ff9c::/64", "64:ff9c::/48"},
		"2001:db8:1:2:3:4:5:6":   {"2001:db8:1:2::/64", "2001:db8:1::/48"},
		"2001:db8:1:fffe::1":     {"2001:db8:1:fffe::/64", "2001:db8:1::/48"},
		"fe80::1%eth0":           {"fe80::/64", "fe80::/48"},
		"2001:db8::ffff:1.2.3.4": {"2001:db8::/64", "2001:db8::/48"},
	} {
		if got := sourceOf(netip.MustParseAddr(at)); got != want {
			t.Errorf("%s: got %+v, want %+v", at, got, want)
		}
	}
	if got := sourceOf(netip.Addr{}); got != (source{}) {
		t.Errorf("no address: %+v", got)
	}
}

// Whoever has many addresses of one network may do four times as much as one has, and
// what an address is refused costs its network nothing.
func TestNetworksAreLimited(t *testing.T) {
	for _, form := range []string{"2001:db8:7:%x::1", "203.0.113.%d"} {
		l := newSourceLimiter(3, limitLogIns)
		at := func(n int) source { return sourceOf(netip.MustParseAddr(fmt.Sprintf(form, n))) }
		for range 100 {
			_ = l.charge(at(1))
		}
		passed := 3
		for n := 2; n < 120; n++ {
			if l.charge(at(n)) == nil {
				passed++
			}
		}
		if passed != 12 {
			t.Errorf("%s: %d of 120 addresses passed, want four times 3", form, passed)
		}
		if err := l.charge(sourceOf(netip.MustParseAddr("198.51.100.1"))); err != nil {
			t.Errorf("another network: %v", err)
		}
	}
	var none *sourceLimiter
	if err := none.charge(source{}); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}
