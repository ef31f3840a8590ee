package server

import (
	"net/netip"
	"time"
)

// source is where a request comes from, as limits count it. Both fields are "" where
// there is no address (a Unix socket).
type source struct {
	address string // one machine or home: an IPv4 address, or a /64 of IPv6
	network string // what one customer of a provider may have: a /24, or a /48
}

// networkFactor is how many times as much as one of its addresses a network may do: an
// office or a campus, but not whoever has 65,536 addresses for the asking.
const networkFactor = 4

func sourceOf(at netip.Addr) source {
	at = embedded(at.Unmap().WithZone(""))
	switch {
	case !at.IsValid():
		return source{}
	case at.Is4():
		return source{at.String(), within(at, 24)}
	}
	return source{within(at, 64), within(at, 48)}
}

// AddressOf returns what limits count an address by: itself, or the /64 that it is in.
func AddressOf(at netip.Addr) string { return sourceOf(at).address }

func within(at netip.Addr, bits int) string { return netip.PrefixFrom(at, bits).Masked().String() }

// embedded returns the IPv4 address inside one of NAT64 (64:ff9b::/96, RFC 6052):
// behind a translator all of IPv4 shares one /64.
func embedded(at netip.Addr) netip.Addr {
	b := at.As16()
	if at.Is6() && [12]byte(b[:12]) == [12]byte{0, 0x64, 0xff, 0x9b} {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return at
}

// sourceLimiter limits what comes from an address, and from the network around it. A
// nil one has no limit.
type sourceLimiter struct{ address, network *limiter }

// newSourceLimiter allows n a minute from an address; 0 is no limit.
func newSourceLimiter(n int, name string) *sourceLimiter {
	if n <= 0 {
		return nil
	}
	all := n * networkFactor
	return &sourceLimiter{newLimiter(n, time.Minute, n).named(name), newLimiter(all, time.Minute, all).named(name)}
}

// charge takes a token of the address and one of the network, or neither.
func (l *sourceLimiter) charge(from source) error {
	if l == nil {
		return nil
	}
	if err := l.address.charge(from.address); err != nil {
		return err
	}
	err := l.network.charge(from.network)
	if err != nil {
		l.address.refund(from.address)
	}
	return err
}

// debit takes a token of the address and one of the network, whether they are there or not.
func (l *sourceLimiter) debit(from source) {
	l.address.debit(from.address, 1)
	l.network.debit(from.network, 1)
}

// owed returns the rate_limited error while debit has taken tokens that were not there.
func (l *sourceLimiter) owed(from source) error {
	if err := l.address.owed(from.address); err != nil {
		return err
	}
	return l.network.owed(from.network)
}
