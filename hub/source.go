package hub

import (
	"context"
	"fmt"
)

// Source reads the truth: the event log of the database. It is called concurrently; each call gets
// a context with a deadline and must honour it.
type Source interface {
	// Positions returns the end of each stream and the epoch of the database. An unknown
	// stream is absent from the answer; streams may be empty.
	Positions(ctx context.Context, streams []string) (epoch string, ends map[string]End, err error)
	// Events returns the events after a seq in order, without holes, at most limit. Where the
	// first ones are no longer kept, the answer starts at a seq greater than after+1. Text is
	// as it is now, not as it was.
	Events(ctx context.Context, stream string, after int64, limit int) ([]Event, error)
	// EventsFor is Events for one user, with membership tested in the same statement.
	EventsFor(ctx context.Context, user, stream string, after int64, limit int) (Page, error)
}

// End is where a stream ends.
type End struct {
	Seq   int64 // of its last event
	Stamp int64 // and that event's Stamp
}

// Page is an answer of Source.EventsFor, all of it read at one moment.
type Page struct {
	Member   bool    // false: the rest is empty
	AddedSeq int64   // the seq at which the user was last added
	LastSeq  int64   // the stream's last seq
	Trimmed  bool    // events after the asked seq are no longer kept
	Events   []Event // consecutive from after+1
}

// Bus carries hints between nodes: fast, and allowed to lose everything. It is called concurrently.
type Bus interface {
	// Subscribe asks for the events of streams, to be handed to Hub.Receive. It must not wait
	// for the network.
	Subscribe(streams ...string) error
	// Unsubscribe ends what Subscribe began. It must not wait for the network.
	Unsubscribe(streams ...string)
	// Flush returns once the subscriptions made so far are in force everywhere.
	Flush(ctx context.Context) error
	// Publish sends an event's binary form to every node, with the trace of a traced event beside
	// it. It must not wait; the bus may keep data.
	Publish(stream string, data []byte, trace string)
}

// readEvents reads events of a stream, with a deadline.
func (h *Hub) readEvents(ctx context.Context, stream string, after int64, limit int) ([]Event, error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.SourceTimeout)
	defer cancel()
	events, err := h.src.Events(ctx, stream, after, limit)
	if err == nil {
		err = consecutive(events)
	}
	if err != nil {
		return nil, fmt.Errorf("read events of stream: %w", err)
	}
	return events, nil
}

// consecutive checks the answer of a source: with a single gap it cannot be trusted.
func consecutive(events []Event) error {
	for i, e := range events {
		if err := e.valid(); err != nil {
			return err
		}
		if i > 0 && e.Seq != events[i-1].Seq+1 {
			return fmt.Errorf("source returned seq %d after %d", e.Seq, events[i-1].Seq)
		}
	}
	return nil
}

// readPosition reads one stream's position. A stream that does not exist yet is at 0.
func (h *Hub) readPosition(ctx context.Context, stream string) (int64, error) {
	_, ends, err := h.readPositions(ctx, []string{stream})
	return ends[stream].Seq, err
}

// readEpoch reads the epoch of the database.
func (h *Hub) readEpoch(ctx context.Context) (string, error) {
	epoch, _, err := h.readPositions(ctx, []string{})
	return epoch, err
}

// readPositions reads the positions of streams and the epoch, with a deadline.
func (h *Hub) readPositions(ctx context.Context, ids []string) (string, map[string]End, error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.SourceTimeout)
	defer cancel()
	epoch, ends, err := h.src.Positions(ctx, ids)
	if err != nil {
		return "", nil, fmt.Errorf("read positions of streams: %w", err)
	}
	return epoch, ends, nil
}
