package server

import (
	"time"
)

// budget names what a route or a command draws from.
type budget int

const (
	ofRequests budget = iota // of the user, over REST and all connections
	ofMessages               // only of what meter charges for every event: a replay is free
	ofResumes
	ofSearches
	ofSignUps // of the address, like the next: charged by the handler, once the body makes sense
	ofLogIns
	unlimited
)

// What costs the node more than most has a budget of its own.
const (
	resumesPerMinute  = 120
	resumeBurst       = 120 // a room full of devices that come back at once
	searchesPerSecond = 10
	searchBurst       = 30
)

// rates are the limiters of this node.
type rates struct {
	sends                       *limiter // by user id; meter charges it for every event
	joins                       *limiter // by user and chat
	deliveries                  *limiter // by user
	requests, resumes, searches *limiter // by user id, over REST and all connections
	signups, logins             *sourceLimiter
	knownLogins                 *limiter // by guesser
	people                      *limiter // by user id: whom they put into chats
	hooks                       *limiter // by hook
	floods                      floods
}

// newRates limits no requests, resumes and searches where there are no requests
// per second, and no joins where there are no sends. Requests that append events have
// the room that the limit of sends gives them, however large it is.
func newRates(l Limits, q Quotas) rates {
	r := rates{
		sends:   newLimiter(l.SendsPerSecond, time.Second, l.SendBurst).named(limitSends),
		people:  newLimiter(q.PeoplePerMinute, time.Minute, q.PeopleBurst).named(limitPeople),
		signups: newSourceLimiter(q.SignupsPerIPPerMinute, limitSignUps),
		logins:  newSourceLimiter(q.LoginsPerIPPerMinute, limitLogIns),
		floods:  newFloods(),
		hooks:   newLimiter(hooksPerMinute, time.Minute, hooksPerMinute).named(limitHooks),

		knownLogins: newLimiter(q.LoginsPerIPPerMinute, time.Minute, q.LoginsPerIPPerMinute).named(limitLogIns),
	}
	if n := l.DeliveriesPerSecond; n > 0 {
		r.deliveries = newLimiter(n, time.Second, n*deliveriesAhead).named(limitDeliveries)
	}
	if l.SendsPerSecond > 0 {
		r.joins = newLimiter(1, joinEvery, joinBurst).named(limitJoins)
	}
	if q.RequestsPerSecond > 0 {
		r.requests = newLimiter(q.RequestsPerSecond+l.SendsPerSecond, time.Second, q.RequestBurst+l.SendBurst).named(limitRequests)
		r.resumes = newLimiter(resumesPerMinute, time.Minute, resumeBurst).named(limitResumes)
		r.searches = newLimiter(searchesPerSecond, time.Second, searchBurst).named(limitSearches)
	}
	return r
}

// chargeLogIn draws from the log-ins of an address, or, for a device that is known, from
// its own: others at its address cannot use them up.
func (r rates) chargeLogIn(by guesser) error {
	if by.known {
		return r.knownLogins.charge(by.key)
	}
	return r.logins.charge(by.from)
}

// of returns the limiter that is charged before a handler of this budget runs.
func (r rates) of(b budget) *limiter {
	switch b {
	case ofRequests:
		return r.requests
	case ofResumes:
		return r.resumes
	case ofSearches:
		return r.searches
	}
	return nil
}

// commandRate is for the commands of one connection other than sends: far above what a
// person causes, far below what a loop does. It leaves room for what the limit of sends
// allows.
func commandRate(l Limits) rate {
	return newRate(50+l.SendsPerSecond, time.Second, 200+l.SendBurst)
}

// readRate is for all commands of one connection, replays of sends included: above
// what any client has use for, and enough to keep one socket from taking the node.
func readRate() rate { return newRate(1000, time.Second, 2000) }

// allowance is what one connection may still say: small, because every connection
// has one. It belongs to the connection's reader.
type allowance struct {
	commands, reads time.Time // when these buckets are full
	refusals        int       // within the minute
	minute          time.Time // start of the minute that is counted
}

// command takes one token of a command other than a send.
func (a *allowance) command(now time.Time, r rate) error {
	full, wait := r.draw(a.commands, now, 1)
	if wait > 0 {
		return rateLimited(wait, limitCommands)
	}
	a.commands = full
	return nil
}

// read takes one token of a command of any kind and returns how long to wait
// before reading the next. Nothing is refused: what comes too fast stays in the
// socket.
func (a *allowance) read(now time.Time) (wait time.Duration) {
	a.reads, wait = readRate().draw(a.reads, now, 1)
	return wait
}

// refused counts an answer rate_limited and reports whether the minute has had
// limit of them.
func (a *allowance) refused(now time.Time, limit int) bool {
	if now.Sub(a.minute) >= time.Minute {
		a.minute, a.refusals = now, 0
	}
	a.refusals++
	return limit > 0 && a.refusals >= limit
}
