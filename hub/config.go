package hub

import (
	"cmp"
	"time"
)

// Config holds the sizes and durations of a hub. A zero value selects the default given with each
// field.
type Config struct {
	// QueueBytes limits the backlog of one connection's socket: 1 MiB. Negative: no limit.
	QueueBytes int
	// LowMark is the backlog, in bytes, down to which a paced send waits for the socket: 64 KiB.
	LowMark int
	// WriteTimeout is how long a socket may accept no byte before it is given up: 15 s.
	WriteTimeout time.Duration
	// CloseTimeout limits, after Conn.Close, the flush of the backlog and the wait for the peer: 5
	// s.
	CloseTimeout time.Duration

	// PingEvery is the interval of WebSocket pings, shortened by up to a tenth at random: 25 s.
	PingEvery time.Duration
	// PongWait is how long a ping may go unanswered before the connection is given up: 10 s.
	PongWait time.Duration
	// CommentEvery is the interval of SSE comments: 15 s.
	CommentEvery time.Duration

	// FrameBurst is how many frames a WebSocket's peer may send at once, and in 10 s, that no
	// message accounts for: pings, pongs and fragments. 1,000; negative: no limit. Until the
	// connection has a user a sixteenth of it is for frames of all kinds.
	FrameBurst int

	// HoleDelayMin and HoleDelayMax bound the random wait before a hole is read from the
	// source: 20 and 50 ms.
	HoleDelayMin, HoleDelayMax time.Duration
	// HeldEvents and HeldBytes limit what one stream holds out of order: 256 events, 1 MiB.
	HeldEvents, HeldBytes int
	// ResumeWindow is the largest hole repaired while there are subscribers: 500 events.
	ResumeWindow int
	// Repairs is how many repairs may read from the source at once: 16.
	Repairs int

	// CheckEvery is the interval of the position check, jitter and tick included: 2 s.
	CheckEvery time.Duration
	// CheckIdle is the interval to which checks of quiet chats back off: 10 s.
	CheckIdle time.Duration
	// CheckLost is the interval while the bus is lost: 250 ms.
	CheckLost time.Duration
	// CheckChunk is how many streams one position read asks for: 1,000.
	CheckChunk int

	// SourceTimeout is the deadline of each call to the source: 5 s.
	SourceTimeout time.Duration
	// BusTimeout is the deadline of a flush of the bus: 2 s.
	BusTimeout time.Duration
	// AttachTimeout limits how long Attach waits for a stream that is behind: 10 s.
	AttachTimeout time.Duration
	// Linger is how long a stream without subscribers stays subscribed on the bus: 60 s.
	Linger time.Duration
	// FlushDelayMin and FlushDelayMax bound how long a pump lets the frames of a stream gather
	// between two rounds, which otherwise is as long as the last round took: 0 and 20 ms. A
	// negative FlushDelayMax means no pause.
	FlushDelayMin, FlushDelayMax time.Duration

	// RingEvents is how many events a stream keeps for replay: 512.
	RingEvents int
	// RingBytes limits all rings together: 64 MiB.
	RingBytes int
	// RingIdle is how long a ring without a new event is kept: 5 min.
	RingIdle time.Duration

	// Check judges the data of what the bus brings, and returns the Stamp of an event: nothing
	// reaches a client that it refuses. nil accepts everything.
	Check func(Event) (stamp int64, err error)
	// Exposed is told of an event that was delivered and is not in the database. It is called under
	// the stream's lock and must not block. It may be nil, too.
	Exposed func(stream string, seq int64)
	// FannedOut receives how long each round of a pump took. Like the two below it may be nil, is
	// called on the pump's goroutine and must not block.
	FannedOut func(took time.Duration)
	// Delivered receives each event that has a Trace, once it was written or queued to its
	// subscribers here.
	Delivered func(Delivery)
	// Reached receives the new messages (events of kind Content and no other) once they were
	// written or queued to their subscribers here: one call for all that were written together.
	// It must not keep seqs. Replays do not count.
	Reached func(stream string, seqs []int64, connections int)
}

// Delivery describes what became of one event on this node.
type Delivery struct {
	Trace       string
	Stream      string
	Seq         int64
	Connections int
	Took        time.Duration // since its turn in the stream came
}

// withDefaults returns the configuration with every zero replaced.
func (c Config) withDefaults() Config {
	c.QueueBytes = cmp.Or(c.QueueBytes, 1<<20)
	c.LowMark = cmp.Or(c.LowMark, 64<<10)
	c.HeldEvents = cmp.Or(c.HeldEvents, 256)
	c.HeldBytes = cmp.Or(c.HeldBytes, 1<<20)
	c.ResumeWindow = cmp.Or(c.ResumeWindow, 500)
	c.Repairs = cmp.Or(c.Repairs, 16)
	c.CheckChunk = cmp.Or(c.CheckChunk, 1000)
	c.RingEvents = cmp.Or(c.RingEvents, 512)
	c.RingBytes = cmp.Or(c.RingBytes, 64<<20)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 15*time.Second)
	c.CloseTimeout = cmp.Or(c.CloseTimeout, 5*time.Second)
	c.FrameBurst = cmp.Or(c.FrameBurst, 1000)
	c.PingEvery = cmp.Or(c.PingEvery, 25*time.Second)
	c.PongWait = cmp.Or(c.PongWait, 10*time.Second)
	c.CommentEvery = cmp.Or(c.CommentEvery, 15*time.Second)
	c.HoleDelayMin = cmp.Or(c.HoleDelayMin, 20*time.Millisecond)
	c.HoleDelayMax = cmp.Or(c.HoleDelayMax, 50*time.Millisecond)
	c.CheckEvery = cmp.Or(c.CheckEvery, 2*time.Second)
	c.CheckIdle = cmp.Or(c.CheckIdle, 10*time.Second)
	c.CheckLost = cmp.Or(c.CheckLost, 250*time.Millisecond)
	c.SourceTimeout = cmp.Or(c.SourceTimeout, 5*time.Second)
	c.BusTimeout = cmp.Or(c.BusTimeout, 2*time.Second)
	c.AttachTimeout = cmp.Or(c.AttachTimeout, 10*time.Second)
	c.Linger = cmp.Or(c.Linger, time.Minute)
	c.FlushDelayMax = cmp.Or(c.FlushDelayMax, 20*time.Millisecond)
	c.RingIdle = cmp.Or(c.RingIdle, 5*time.Minute)
	return c
}
