package security

import "time"

const (
	// period is how long entries are counted together.
	period = time.Minute
	// linesOfSource is how many entries of one event from one source are written in a
	// period; the last of the others follows at its end, with their number.
	linesOfSource = 5
)

// source is what makes entries similar. With nothing but the event it stands for all
// sources for which there were no lines left.
type source struct {
	event                         Event
	address, user, subject, limit string
}

// leftOut is the entries of one source that were not written.
type leftOut struct {
	last  Entry
	count int
}

type run struct {
	written int
	left    leftOut
}

// sample decides which entries are written: a flood costs a bounded number of lines, and
// hides neither how large it is nor what else happens. As a source is remembered only
// with a line of its own, lines bound the memory, too. It is not safe for concurrent use.
type sample struct {
	since time.Time
	runs  map[source]*run
	order []*run // in which they came
	lines map[Event]int
}

// turn begins a new period if the last one is over, and returns what that left out.
func (s *sample) turn(now time.Time) (left []leftOut) {
	if s.runs != nil && now.Sub(s.since) < period {
		return nil
	}
	for _, r := range s.order {
		if r.left.count > 0 {
			left = append(left, r.left)
		}
	}
	s.since, s.runs, s.order, s.lines = now, map[source]*run{}, nil, map[Event]int{}
	return left
}

// admit reports whether to write an entry of an event that has so many lines in a
// period. 0 is no limit.
func (s *sample) admit(e Entry, lines int) bool {
	if lines == 0 {
		return true
	}
	room := s.lines[e.Event] < lines
	from := source{e.Event, e.Address, e.User, e.Subject, e.Limit}
	if s.runs[from] == nil && !room {
		e = Entry{Event: e.Event}
		from = source{event: e.Event}
	}
	r := s.run(from)
	if room && r.written < linesOfSource {
		r.written++
		s.lines[e.Event]++
		return true
	}
	r.left = leftOut{e, r.left.count + 1}
	return false
}

func (s *sample) run(from source) *run {
	r := s.runs[from]
	if r == nil {
		r = &run{}
		s.runs[from], s.order = r, append(s.order, r)
	}
	return r
}
