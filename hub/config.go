package hub

import "time"

// Config holds the sizes and durations of a hub. A zero value means the default given with each field.
type Config struct {
	// QueueBytes bounds what waits for one connection's socket: 1 MiB. Negative: no limit.
	QueueBytes int
	// LowMark is the queue length, in bytes, to which a paced send waits for the socket: 64 KiB.
	LowMark int
	// WriteTimeout is how long a socket may take not a single byte before it is given up: 15 s.
	WriteTimeout time.Duration
	// CloseTimeout bounds the drain and the peer's answer after Conn.Close: 5 s.
	CloseTimeout time.Duration

	// PingEvery is the interval of WebSocket pings, less up to a tenth of jitter: 25 s.
	PingEvery time.Duration
	// PongWait is how long after an unanswered ping a connection is given up: 10 s.
	PongWait time.Duration
	// CommentEvery is the interval of SSE comments: 15 s.
	CommentEvery time.Duration

	// HoleDelayMin and HoleDelayMax bound the random wait before a hole is read from the source: 20 and 50 ms.
	HoleDelayMin, HoleDelayMax time.Duration
	// HeldEvents and HeldBytes bound what one stream keeps out of order: 256 events, 1 MiB.
	HeldEvents, HeldBytes int
	// ResumeWindow is the largest hole that is repaired with subscribers on: 500 events.
	ResumeWindow int
	// Repairs is how many source reads of repairs run at once: 16.
	Repairs int

	// CheckEvery is the interval of the position check: 2 s, which includes jitter and the tick.
	CheckEvery time.Duration
	// CheckIdle is the interval to which the checks of quiet chats back off: 10 s.
	CheckIdle time.Duration
	// CheckLost is the interval while the bus is lost: 250 ms.
	CheckLost time.Duration
	// CheckChunk is how many streams one position read asks for: 1,000.
	CheckChunk int

	// SourceTimeout is the deadline of each call to the source: 5 s.
	SourceTimeout time.Duration
	// BusTimeout is the deadline of a flush of the bus: 2 s.
	BusTimeout time.Duration
	// AttachTimeout bounds how long Attach waits for a stream that is behind: 10 s.
	AttachTimeout time.Duration
	// Linger is how long a stream without subscribers stays subscribed on the bus: 60 s.
	Linger time.Duration
	// FlushDelay is how long a pump lets frames of a stream gather before it writes: 0.
	FlushDelay time.Duration

	// RingEvents is how many events a stream keeps for replay: 512.
	RingEvents int
	// RingBytes is the budget of all rings together: 64 MiB.
	RingBytes int
	// RingIdle is how long a ring without a new event is kept: 5 min.
	RingIdle time.Duration

	// FannedOut is told how long each round of a pump took, by the pump's goroutine; it must not block. nil: nobody.
	FannedOut func(took time.Duration)
	// Delivered is told of each event with a Trace, when it was written or queued to its subscribers here, by the pump's
	// goroutine; it must not block. nil: nobody.
	Delivered func(Delivery)
	// Reached is told of new messages (events of kind Content and no other) when they were written or queued to their
	// subscribers here: once for all that were written together, by the pump's goroutine. It must not block, nor keep
	// seqs. Replays are not told. nil: nobody.
	Reached func(stream string, seqs []int64, connections int)
}

// Delivery is what became of one event on this node.
type Delivery struct {
	Trace       string
	Stream      string
	Seq         int64
	Connections int
	Took        time.Duration // from when its turn in the stream had come
}

// withDefaults answers the configuration with every zero replaced.
func (c Config) withDefaults() Config {
	number := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	duration := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	number(&c.QueueBytes, 1<<20)
	number(&c.LowMark, 64<<10)
	number(&c.HeldEvents, 256)
	number(&c.HeldBytes, 1<<20)
	number(&c.ResumeWindow, 500)
	number(&c.Repairs, 16)
	number(&c.CheckChunk, 1000)
	number(&c.RingEvents, 512)
	number(&c.RingBytes, 64<<20)
	duration(&c.WriteTimeout, 15*time.Second)
	duration(&c.CloseTimeout, 5*time.Second)
	duration(&c.PingEvery, 25*time.Second)
	duration(&c.PongWait, 10*time.Second)
	duration(&c.CommentEvery, 15*time.Second)
	duration(&c.HoleDelayMin, 20*time.Millisecond)
	duration(&c.HoleDelayMax, 50*time.Millisecond)
	duration(&c.CheckEvery, 2*time.Second)
	duration(&c.CheckIdle, 10*time.Second)
	duration(&c.CheckLost, 250*time.Millisecond)
	duration(&c.SourceTimeout, 5*time.Second)
	duration(&c.BusTimeout, 2*time.Second)
	duration(&c.AttachTimeout, 10*time.Second)
	duration(&c.Linger, time.Minute)
	duration(&c.RingIdle, 5*time.Minute)
	return c
}
