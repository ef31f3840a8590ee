package server

// maxStrangers is how many connections of a node may have not said who they are: one
// machine that opens them without end would take all places from the users.
const maxStrangers = 1024

// fullOfStrangers says whether nobody else gets time to say auth. A few more may
// come that are looked at in the same moment.
func (s *Server) fullOfStrangers() bool { return s.realtime.strangers.Load() >= maxStrangers }

// beStranger counts a connection as one that has not said who it is; false when
// there are too many. It is one until it is welcome or closed.
func (c *connection) beStranger() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return true
	}
	strangers := &c.server.realtime.strangers
	if strangers.Add(1) > maxStrangers {
		strangers.Add(-1)
		return false
	}
	c.stranger = true
	return true
}

// noStranger ends that. Called under mu.
func (c *connection) noStranger() {
	if c.stranger {
		c.stranger = false
		c.server.realtime.strangers.Add(-1)
	}
}
