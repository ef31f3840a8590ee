package server

import (
	"context"
	"time"
)

// What a node stops sending under load, in this order. Events are never shed.
const (
	shedTyping = iota + 1
	shedPresence
	shedCursors
)

const (
	shedEvery = 250 * time.Millisecond // between two measurements
	shedLooks = 2                      // in a row before more is dropped: one may be late by chance
	shedCalm  = 5 * time.Second        // of less pressure before less is dropped
	shedSlack = 0.2                    // below the mark at which dropping began
	lateLimit = time.Second            // a measurement that is so late counts as much as a full queue
)

// shedMarks are the pressures at which the tiers begin; at 1 sends are refused.
func shedMarks() [shedCursors]float64 { return [...]float64{0.5, 0.7, 0.9} }

// shedding decides what is dropped. It is a state machine for one goroutine.
type shedding struct {
	tier int
	want int // the tier that the last measurements agree on
	high int // how many of them did
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

// look takes in the current pressure, and reports whether the tier has changed.
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

// rise goes up to the least tier that several measurements in a row have asked for.
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

// dropped names what a tier drops, as in the push degraded.
func dropped(tier int) []string { return []string{"typing", "presence", "cursors"}[:tier] }

// drops reports whether this node drops what a tier stands for.
func (s *Server) drops(tier int) bool { return int(s.shed.Load()) >= tier }

// Shedding is how much this node drops under load: 0 nothing, 1 typing, 2 presence
// as well, 3 others' cursors as well. It may be called at any time.
func (s *Server) Shedding() int { return int(s.shed.Load()) }

// watchPressure measures the pressure until ctx ends, and how late it comes to do so:
// where processor time is short, everything is.
func (s *Server) watchPressure(ctx context.Context) {
	if s.pressure == nil {
		return
	}
	var state shedding
	last := time.Now()
	every(ctx, shedEvery, func(time.Time) {
		now := time.Now() // the tick's own time hides how late this is
		late := float64(now.Sub(last)-shedEvery) / float64(lateLimit)
		last = now
		pressure := max(s.pressure(), late)
		if state.look(now, pressure) {
			s.degrade(state.tier, pressure)
		}
	})
}

// degrade puts a tier in force and tells every client. Presence that was held back
// is sent once its tier has ended.
func (s *Server) degrade(tier int, pressure float64) {
	before := s.shed.Swap(int64(tier))
	s.log.Warn("load shedding has changed", "dropping", dropped(tier), "pressure", pressure)
	for _, c := range s.realtime.connections.list(nil) {
		if c.user() == "" {
			continue
		}
		c.sendDegraded()
		if int(before) >= shedPresence && tier < shedPresence {
			c.releasePresence()
		}
	}
}

type degradedData struct {
	Dropping []string `json:"dropping"`
}

// sendDegraded tells a client that has got hello the tier in force. The lock is held
// until it is queued, so that the last word is the true one.
func (c *connection) sendDegraded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.greeted {
		c.send(pushFrame{Op: "degraded", D: degradedData{Dropping: dropped(c.server.Shedding())}})
	}
}
