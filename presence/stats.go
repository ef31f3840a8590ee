package presence

// Stats describes a node's side of presence as it is now.
type Stats struct {
	People      int  // with at least one device here
	Devices     int  // connected here
	Watched     int  // people whom somebody here watches
	Unavailable bool // the last call to the leases failed
}

// Stats may be called at any time.
func (t *Tracker) Stats() Stats {
	t.mu.Lock()
	s := Stats{People: len(t.people), Watched: len(t.watched)}
	for _, p := range t.people {
		s.Devices += len(p.devices)
	}
	t.mu.Unlock()
	t.unavailable.mu.Lock()
	defer t.unavailable.mu.Unlock()
	s.Unavailable = t.unavailable.on
	return s
}
