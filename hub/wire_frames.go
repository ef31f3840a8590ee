package hub

import "time"

// codeLimited closes a connection that sends too many frames.
const codeLimited = 4005

// frameWindow is how long the budget of a peer's frames takes to fill: those that no message
// accounts for, as pings, pongs and fragments. An honest client sends a pong every 25 s and its
// messages whole. Before a connection has a user its messages count too, for it has one to send.
const (
	frameWindow   = 10 * time.Second
	strangerShare = 16 // the part of the budget that it has until then
)

// freeFragment is the payload from which a fragment costs no more than its bytes would in
// a whole message, whose size and number others limit.
const freeFragment = 1 << 10

// meter is the budget of a client's frames. It belongs to the reader.
type meter struct {
	full time.Time // when the budget is whole again
}

// charge takes a token of a bucket that holds burst and fills within the window, and reports
// whether there was one.
func (m *meter) charge(now time.Time, burst int) bool {
	if m.full.Before(now) {
		m.full = now
	}
	m.full = m.full.Add(frameWindow / time.Duration(burst))
	return m.full.Sub(now) <= frameWindow
}

// affords reports whether the peer may send another frame.
func (w *Wire) affords(h header) bool {
	burst := w.hub.cfg.FrameBurst
	switch {
	case burst < 0, h.op == opClose&opBits: // the last frame
		return true
	case w.conn.User() == "":
		return w.meter.charge(time.Now(), max(1, burst/strangerShare))
	case h.isWhole(), !h.isControl() && h.length >= freeFragment:
		return true
	}
	return w.meter.charge(time.Now(), burst)
}
