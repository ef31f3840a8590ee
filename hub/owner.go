package hub

import "fmt"

// maxCalls bounds what waits for one owner; past it the connection is closed.
const maxCalls = 1024

// ownerCall is one call of an owner's method.
type ownerCall func(Owner)

// notify queues a call for the connection's owner. It may be called under any lock.
func (c *Conn) notify(call ownerCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told {
		return
	}
	if len(c.calls) >= maxCalls {
		c.calls = nil
		c.hub.tasks.start(func() { c.wire.closeNow(ErrBacklog) })
		return
	}
	c.enqueueCall(call)
}

// lastCall queues Closed; every later call is dropped.
func (c *Conn) lastCall(call ownerCall) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told {
		return
	}
	c.told = true
	c.enqueueCall(call)
}

func (c *Conn) enqueueCall(call ownerCall) {
	c.calls = append(c.calls, call)
	if !c.calling {
		c.calling = c.hub.tasks.start(c.runCalls)
	}
}

// runCalls makes the queued calls, one after the other, and ends when none is left.
func (c *Conn) runCalls() {
	for {
		calls := c.takeCalls()
		if len(calls) == 0 {
			return
		}
		for _, call := range calls {
			c.safely(call)
		}
	}
}

func (c *Conn) takeCalls() []ownerCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = nil
	c.calling = len(calls) > 0
	return calls
}

// safely makes one call; an owner that panics loses its connection, not the process.
func (c *Conn) safely(call ownerCall) {
	defer func() {
		if p := recover(); p != nil {
			c.hub.log.Error("owner of a connection panicked", "panic", fmt.Sprint(p))
			c.CloseNow()
		}
	}()
	call(c.owner)
}
