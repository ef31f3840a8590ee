package server

import (
	"errors"
	"time"

	"fechatter/chat"
	"fechatter/hub"
)

// Connections that end with 4005 within a minute before there are no new ones: to open one costs
// the node more than to close it.
const (
	floodsPerUser    = 20
	floodsPerAddress = 60
)

// floods counts the connections that were closed because they sent too much: those of a user by
// the user, others by where they come from. Its methods may be called concurrently.
type floods struct {
	users   *limiter
	sources *sourceLimiter
}

func newFloods() floods {
	return floods{
		users:   newLimiter(floodsPerUser, time.Minute, floodsPerUser).named(limitFloods),
		sources: newSourceLimiter(floodsPerAddress, limitFloods),
	}
}

// note counts a connection that ended, if that is why.
func (f floods) note(user string, from source, cause error) {
	end, ok := errors.AsType[hub.CloseError](cause)
	switch {
	case !ok || end.Code != closeRateLimited:
	case user != "":
		f.users.debit(user, 1)
	case from.address != "":
		f.sources.debit(from)
	}
}

// stranger refuses those who come without a credential from where too many floods came from.
func (f floods) stranger(from source) error {
	if from.address == "" { // a proxy on this machine says nothing of its clients
		return nil
	}
	err := f.sources.owed(from)
	if e, ok := errors.AsType[*chat.Error](err); ok {
		e.Detail = "too many connections from here were closed because of what they sent"
	}
	return err
}
