package server

import "time"

// Commands of one connection that do not draw from the limit of sends: far above
// what a person causes, far below what a loop does.
const (
	commandsPerSecond = 50
	commandBurst      = 200
)

// commandBudget is a token bucket and a count of refusals, small because every
// connection has one. It belongs to the connection's reader.
type commandBudget struct {
	used    float64 // tokens taken and not yet come back
	last    time.Time
	refusal int       // within the minute from minute
	minute  time.Time // begin of the minute that is counted
}

// take takes one token; when there is none it answers how long one takes to come.
func (b *commandBudget) take(now time.Time) (retry time.Duration, ok bool) {
	b.used = max(0, b.used-now.Sub(b.last).Seconds()*commandsPerSecond)
	b.last = now
	if b.used+1 > commandBurst {
		missing := b.used + 1 - commandBurst
		return time.Duration(missing / commandsPerSecond * float64(time.Second)), false
	}
	b.used++
	return 0, true
}

// refused counts an answer rate_limited and says whether the minute has had limit of them.
func (b *commandBudget) refused(now time.Time, limit int) bool {
	if now.Sub(b.minute) >= time.Minute {
		b.minute, b.refusal = now, 0
	}
	b.refusal++
	return limit > 0 && b.refusal >= limit
}
