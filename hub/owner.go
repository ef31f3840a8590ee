package hub

import "fmt"

// Owner is told what concerns one connection beyond bytes. The calls for one connection come one at
// a time, in order, from a hub goroutine that holds no lock. They must return soon: they hold up
// those after them, and a connection whose owner lets too many pile up is closed.
type Owner interface {
	// Personal receives an event of the user's personal stream; the hub never writes those to the
	// socket.
	Personal(Event)
	// Detached reports that the subscription has ended: the removal at seq was queued to this
	// connection as the stream's last frame.
	Detached(stream string, seq int64)
	// Reset reports that the hub cannot go on without a hole and has ended the subscription. The
	// owner reads membership and position again, sends the client a reset at that position and
	// calls Attach again. seq is the last position known to the hub; reason is one of the Reason
	// constants; ReasonMoved is about no subscription: see Hub.Watch.
	Reset(stream string, seq int64, reason string)
	// Closed reports that the connection has ended, and why. It is called once, as the last call.
	Closed(err error)
}

// Reasons of a reset.
const (
	ReasonTooFar   = "too_far"  // a hole over Config.ResumeWindow, a replay over Position.MaxBytes
	ReasonTrimmed  = "trimmed"  // needed events are no longer kept
	ReasonEpoch    = "epoch"    // the database began another history
	ReasonAhead    = "ahead"    // the hub holds events that the database does not have
	ReasonRejoined = "rejoined" // removed and added again in between
	ReasonMoved    = "moved"    // no reset: the stream has passed what Watch was given
)

// maxCalls limits the calls that wait for one owner; past it the connection is closed.
const maxCalls = 1024

// ownerCall is one call of an owner's method.
type ownerCall func(Owner)

// notify queues a call for the connection's owner. It may be called under any lock.
func (c *Conn) notify(call ownerCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sealed {
		return
	}
	if len(c.calls) >= maxCalls {
		c.calls = nil
		c.hub.tasks.start(func() { c.wire.closeNow(ErrOwnerBehind) })
		return
	}
	c.enqueueCall(call)
}

// lastCall queues Closed; every later call is dropped.
func (c *Conn) lastCall(call ownerCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sealed {
		return
	}
	c.sealed = true
	c.enqueueCall(call)
}

func (c *Conn) enqueueCall(call ownerCall) {
	c.calls = append(c.calls, call)
	if !c.calling {
		c.calling = c.hub.tasks.start(c.runCalls)
	}
}

// runCalls makes the queued calls one at a time and ends when none is left.
func (c *Conn) runCalls() {
	for {
		calls := c.dequeueCalls()
		if len(calls) == 0 {
			return
		}
		for _, call := range calls {
			c.safely(call)
		}
	}
}

func (c *Conn) dequeueCalls() []ownerCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = nil
	c.calling = len(calls) > 0
	return calls
}

// safely makes one call: an owner that panics loses its connection, not the process.
func (c *Conn) safely(call ownerCall) {
	defer func() {
		if p := recover(); p != nil {
			c.hub.log.Error("connection owner panicked", "panic", fmt.Sprint(p))
			c.CloseNow()
		}
	}()
	call(c.owner)
}
