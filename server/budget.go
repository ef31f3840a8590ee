package server

import "time"

// Commands of one connection that do not draw from the limit of sends: far above
// what a person causes, far below what a loop does.
const (
	commandsPerSecond = 50
	commandBurst      = 200
)

// All commands of one connection, replays of sends included: above what any
// client has use for, and enough to keep one socket from taking the node.
const (
	readsPerSecond = 1000
	readBurst      = 2000
)

// commandBudget is what one connection may still say, and a count of refusals,
// small because every connection has one. It belongs to the connection's reader.
type commandBudget struct {
	commands bucket
	reads    bucket
	refusal  int       // within the minute from minute
	minute   time.Time // begin of the minute that is counted
}

// bucket counts tokens taken and not yet come back.
type bucket struct {
	used float64
	last time.Time
}

// take takes one token of a command that has a limit of its own; when there is
// none it answers how long one takes to come.
func (b *commandBudget) take(now time.Time) (retry time.Duration, ok bool) {
	retry = b.commands.missing(now, commandsPerSecond, commandBurst)
	if retry > 0 {
		return retry, false
	}
	b.commands.used++
	return 0, true
}

// read takes one token of a command of any kind and answers how long to wait
// before reading the next. Nothing is refused: what comes too fast stays in the
// socket.
func (b *commandBudget) read(now time.Time) (wait time.Duration) {
	wait = b.reads.missing(now, readsPerSecond, readBurst)
	b.reads.used++
	return wait
}

// missing answers how long it takes until there is a whole token.
func (b *bucket) missing(now time.Time, perSecond, burst float64) time.Duration {
	b.used = max(0, b.used-now.Sub(b.last).Seconds()*perSecond)
	b.last = now
	return time.Duration(max(0, b.used+1-burst) / perSecond * float64(time.Second))
}

// refused counts an answer rate_limited and says whether the minute has had limit of them.
func (b *commandBudget) refused(now time.Time, limit int) bool {
	if now.Sub(b.minute) >= time.Minute {
		b.minute, b.refusal = now, 0
	}
	b.refusal++
	return limit > 0 && b.refusal >= limit
}
