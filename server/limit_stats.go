package server

import "sync/atomic"

// caused is what users have done to this node that their quotas are about.
type caused struct{ bytes, deliveries atomic.Int64 }

// LimitStats are figures of a node's limits since its start, except HashesWaiting.
type LimitStats struct {
	Refused       map[string]int64 // by limit, as the security log names them
	Bytes         int64            // that users have stored
	Deliveries    int64            // that users have caused
	HashesWaiting int              // passwords that wait for their turn now
}

// LimitStats returns the figures. It may be called at any time.
func (s *Server) LimitStats() LimitStats {
	r := &s.rates
	stats := LimitStats{Bytes: s.caused.bytes.Load(), Deliveries: s.caused.deliveries.Load(), Refused: map[string]int64{
		limitRequests: r.requests.refused(), limitResumes: r.resumes.refused(), limitSearches: r.searches.refused(),
		limitSends: r.sends.refused(), limitJoins: r.joins.refused(), limitDeliveries: r.deliveries.refused(),
		limitSignUps: r.signups.refused(), limitLogIns: r.logins.refused() + r.knownLogins.refused(),
		limitFloods: r.floods.users.refused() + r.floods.sources.refused(),
		limitBytes:  s.usage.refusals(), limitGuesses: s.guesses.refusals(),
	}}
	stats.Refused[limitHashes], stats.HashesWaiting = s.hashing.stats()
	return stats
}

func (l *sourceLimiter) refused() int64 {
	if l == nil {
		return 0
	}
	return l.address.refused() + l.network.refused()
}

func (u *usage) refusals() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.refused
}

func (g *guesses) refusals() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused
}

func (h *hashing) stats() (refused int64, waiting int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refused, len(h.waiting)
}
