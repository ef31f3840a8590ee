package server

import (
	"context"
	"time"
)

// What a node stops telling under load, in this order. Events are never among it.
const (
	shedTyping = iota + 1
	shedPresence
	shedCursors
)

const (
	shedEvery = 250 * time.Millisecond // between two looks at the pressure
	shedLooks = 2                      // in a row, before more is dropped: one late look may be chance
	shedCalm  = 5 * time.Second        // of less pressure, before less is dropped
	shedSlack = 0.2                    // below the mark at which dropping began
	lateLimit = time.Second            // a look that comes so late is as much as a full queue
)

// shedMarks are the pressures at which the tiers begin; 1 is when sends are refused.
func shedMarks() [shedCursors]float64 { return [...]float64{0.5, 0.7, 0.9} }

// shedding decides what is dropped. It is a state machine for one goroutine.
type shedding struct {
	tier int
	want int // what the last looks agree on
	high int // how many did
	calm time.Time
}

func tierOf(pressure float64) (tier int) {
	for i, mark := range shedMarks() {
		if pressure >= mark {
			tier = i + 1
		}
	}
	return tier
}

// look takes in the pressure of now, and reports whether the tier has changed.
func (s *shedding) look(now time.Time, pressure float64) bool {
	before := s.tier
	s.rise(tierOf(pressure))
	if tierOf(pressure+shedSlack) >= s.tier {
		s.calm = time.Time{}
	} else if s.calm.IsZero() {
		s.calm = now
	} else if now.Sub(s.calm) >= shedCalm {
		s.tier, s.calm = s.tier-1, now
	}
	return s.tier != before
}

// rise goes up to what several looks in a row have asked for at least.
func (s *shedding) rise(want int) {
	if want <= s.tier {
		s.high = 0
		return
	}
	if s.high == 0 || want < s.want {
		s.want = want
	}
	if s.high++; s.high >= shedLooks {
		s.tier, s.high = s.want, 0
	}
}

// dropped names what a tier drops, as clients are told.
func dropped(tier int) []string { return []string{"typing", "presence", "cursors"}[:tier] }

// drops says whether this node has no time for what a tier drops.
func (s *Server) drops(tier int) bool { return int(s.shed.Load()) >= tier }

// Shedding is how much this node drops under load: 0 nothing, 1 typing, 2 presence
// as well, 3 others' cursors as well. It may be called at any time.
func (s *Server) Shedding() int { return int(s.shed.Load()) }

// watchPressure looks at the pressure until ctx ends, and at how late it does so:
// where the processor is short, everything is.
func (s *Server) watchPressure(ctx context.Context) {
	if s.pressure == nil {
		return
	}
	tick := time.NewTicker(shedEvery)
	defer tick.Stop()
	var state shedding
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		late := float64(now.Sub(last)-shedEvery) / float64(lateLimit)
		last = now
		pressure := max(s.pressure(), late)
		if state.look(now, pressure) {
			s.degrade(state.tier, pressure)
		}
	}
}

// degrade puts a tier in force and tells every client. What presence was held
// back is told when its tier has ended.
func (s *Server) degrade(tier int, pressure float64) {
	before := s.shed.Swap(int32(tier))
	s.log.Warn("load: what is dropped has changed", "dropping", dropped(tier), "pressure", pressure)
	for _, c := range s.realtime.connections.list(nil) {
		if c.user() == "" {
			continue
		}
		c.sayDegraded()
		if int(before) >= shedPresence && tier < shedPresence {
			c.releasePresence()
		}
	}
}

type degradedData struct {
	Dropping []string `json:"dropping"`
}

// sayDegraded tells a client that has heard hello the tier in force. The lock is held
// until it is queued: what is said last is what is so.
func (c *connection) sayDegraded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.greeted {
		c.send(pushFrame{Op: "degraded", D: degradedData{Dropping: dropped(c.server.Shedding())}})
	}
}
