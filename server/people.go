package server

import "time"

// chargePeople draws from a user's budget for putting people into chats: a token for
// each of them, or none. More than the burst empty the bucket.
func (s *Server) chargePeople(user string, people int) error {
	return s.rates.people.move(user, people)
}

// refundPeople puts back what chargePeople took for people who were in already.
func (s *Server) refundPeople(user string, people int) {
	_ = s.rates.people.move(user, -people) // nothing is refused
}

// move takes n tokens of key at once, or puts -n back: see charge and refund.
func (l *limiter) move(key string, n int) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.sweep(now)
	full := l.full[key]
	if full.Before(now) {
		full = now
	}
	full = full.Add(max(-l.window, min(l.interval*time.Duration(n), l.window)))
	if wait := full.Sub(now) - l.window; n > 0 && wait > 0 {
		return rateLimited(wait, l.name)
	}
	l.full[key] = full
	return nil
}
