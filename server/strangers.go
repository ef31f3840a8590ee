package server

import "sync"

const (
	// maxStrangers is how many connections of a node may not have authenticated yet:
	// machines that open them without end would take all places from the users.
	maxStrangers = 1024
	// maxStrangersPerAddress is how many of them one address may have, so that one
	// machine does not take the places of all others who are about to authenticate; its
	// network may have as many times more as with other limits.
	maxStrangersPerAddress = 32
)

// strangers counts the connections that have not authenticated yet, by where they come
// from. Its methods may be called concurrently.
type strangers struct {
	most int

	mu        sync.Mutex
	total     int
	addresses map[string]int
	networks  map[string]int
}

func newStrangers(most int) *strangers {
	if most <= 0 || most > maxStrangers {
		most = maxStrangers
	}
	return &strangers{most: most, addresses: map[string]int{}, networks: map[string]int{}}
}

// full reports whether nobody else gets time to authenticate who comes from there. A few
// more may slip in that are checked in the same moment; enter refuses them.
func (s *strangers) full(from source) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isFull(from)
}

// isFull limits only the total of those without an address: a proxy on this machine says
// nothing of its clients.
func (s *strangers) isFull(from source) bool {
	return s.total >= s.most || from.address != "" &&
		(s.addresses[from.address] >= maxStrangersPerAddress || s.networks[from.network] >= networkFactor*maxStrangersPerAddress)
}

// enter takes a place and returns how to leave it, or nil if there is none.
func (s *strangers) enter(from source) (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isFull(from) {
		return nil
	}
	s.add(from, 1)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.add(from, -1)
	}
}

func (s *strangers) add(from source, n int) {
	s.total += n
	count(s.addresses, from.address, n)
	count(s.networks, from.network, n)
}

// count adds n to a count, of which none is kept that is 0.
func count(of map[string]int, key string, n int) {
	if of[key] += n; of[key] == 0 {
		delete(of, key)
	}
}
