package hub

import "context"

// Source reads the truth: the event log of the database. All calls are safe for concurrent use; each gets a context
// with a deadline and must honour it.
type Source interface {
	// Positions answers the last seq of each stream, and the epoch of the database. An unknown stream is absent; streams
	// may be empty.
	Positions(ctx context.Context, streams []string) (epoch string, last map[string]int64, err error)
	// Events answers the events after a seq in order, without holes, at most limit. Where the first ones are no
	// longer kept, the answer starts at a seq greater than after+1. Text is as it is now, not as it was.
	Events(ctx context.Context, stream string, after int64, limit int) ([]Event, error)
	// EventsFor is Events for one user, with the membership tested in the same statement.
	EventsFor(ctx context.Context, user, stream string, after int64, limit int) (Page, error)
}

// Page is an answer of Source.EventsFor, all of it read at one moment.
type Page struct {
	Member   bool    // false: the rest is empty
	AddedSeq int64   // the seq at which the user was (last) added
	LastSeq  int64   // the stream's last seq
	Trimmed  bool    // events after the asked seq are no longer kept
	Events   []Event // consecutive from after+1
}

// Bus is the hint between nodes: fast, and allowed to lose everything. Safe for concurrent use.
type Bus interface {
	// Subscribe asks for the events of streams, to be handed to Hub.Receive. It must not wait for the network.
	Subscribe(streams ...string) error
	// Unsubscribe ends what Subscribe began. It must not wait for the network.
	Unsubscribe(streams ...string)
	// Flush returns when the subscriptions made so far are in force everywhere.
	Flush(ctx context.Context) error
	// Publish sends an event's binary form to every node, and beside it the trace of an event that is followed. It must
	// not wait; data is the bus's to keep.
	Publish(stream string, data []byte, trace string)
}

// Owner is told what concerns one connection beyond bytes. The calls for one connection come one after the other, in
// order, from a hub goroutine that holds no lock. They must return soon: they keep the later ones waiting, and a
// connection whose owner lets too many gather is closed.
type Owner interface {
	// Personal hands over an event of the user's personal stream; the hub never writes those to the socket.
	Personal(Event)
	// Detached says that the removal seq was queued to this connection as the stream's last frame and that the
	// subscription has ended.
	Detached(stream string, seq int64)
	// Reset says that the hub cannot go on without a hole and has ended the subscription. The owner reads membership
	// and position anew, sends the client a reset at that position and calls Attach again. Seq is the last position
	// that the hub knows; the reason is one of the Reason constants.
	Reset(stream string, seq int64, reason string)
	// Closed says that the connection has ended, and why. It comes once and is the last call.
	Closed(err error)
}

// Reasons of a reset.
const (
	ReasonTooFar   = "too_far"  // a hole larger than Config.ResumeWindow, a replay larger than Position.MaxBytes
	ReasonTrimmed  = "trimmed"  // events that are needed are no longer kept
	ReasonEpoch    = "epoch"    // the database has begun another history
	ReasonAhead    = "ahead"    // the hub held events that the database does not have
	ReasonRejoined = "rejoined" // removed and added again in between
)
