package presence

// Stats is a node's side of presence as it is now.
type Stats struct {
	People      int  // with a device here
	Devices     int  // connected here
	Watched     int  // people whose presence somebody here watches
	Unavailable bool // the leases did not answer the last question
}

// Stats counts; it may be called at any time.
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
