package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"fechatter/chat"
	"fechatter/hub"
	"fechatter/timeline"
	"fechatter/tracing"
)

// eventLog is what the relay reads from the store's event log.
type eventLog interface {
	Positions(ctx context.Context, streams []string) (epoch string, ends map[string]chat.StreamEnd, err error)
	StreamEvents(ctx context.Context, stream string, after int64, limit int) ([]chat.Event, error)
	MemberEvents(ctx context.Context, userID, chatID string, after int64, limit int) (chat.MemberEvents, error)
}

// relay connects the store and the hub, which do not know each other: it hands
// committed events to the hub, encoded once, and the hub reads the log through it.
type relay struct {
	hub    *hub.Hub // this and index are set once, before anything is stored
	index  interface{ Wake(changes int) }
	events eventLog
	log    *slog.Logger
	tracer *tracing.Tracer // nil: nothing is traced

	followed *followed
	book     *timeline.Book
}

// Publish hands committed events to the hub. An event that cannot be encoded is like a
// lost one: whoever misses it repairs from the log.
func (r *relay) Publish(events []chat.Event) {
	changes, committed := 0, time.Now()
	for _, e := range events {
		switch e.Op {
		case chat.OpMessageCreated, chat.OpMessageEdited, chat.OpMessageDeleted:
			changes++
		}
		he, err := hubEvent(e)
		if err == nil {
			if e.Op == chat.OpMessageCreated {
				r.book.Published(e.StreamID, e.Seq, committed)
			}
			err = r.publish(he, e.Trace)
		}
		if err != nil {
			r.log.Error("publish event", "op", e.Op, "stream", e.StreamID, "seq", e.Seq, "error", err)
		}
	}
	r.index.Wake(changes)
}

func (r *relay) publish(e hub.Event, trace string) error {
	if trace == "" {
		return r.hub.Publish(e)
	}
	child, end := r.tracer.Start(trace, "publish", tracing.Attr{Key: "seq", Count: e.Seq})
	defer end()
	e.Trace = child
	r.followed.remember(place{e.Stream, e.Seq}, child)
	return r.hub.Publish(e)
}

// Positions implements hub.Source.
func (r *relay) Positions(ctx context.Context, streams []string) (string, map[string]hub.End, error) {
	epoch, read, err := r.events.Positions(ctx, streams)
	if err != nil {
		return "", nil, err
	}
	ends := make(map[string]hub.End, len(read))
	for stream, end := range read {
		ends[stream] = hub.End{Seq: end.Seq, Stamp: int64(end.TS)}
	}
	return epoch, ends, nil
}

// Events implements hub.Source.
func (r *relay) Events(ctx context.Context, stream string, after int64, limit int) ([]hub.Event, error) {
	events, err := r.events.StreamEvents(ctx, stream, after, limit)
	if err != nil {
		return nil, err
	}
	return hubEvents(events)
}

// EventsFor implements hub.Source.
func (r *relay) EventsFor(ctx context.Context, user, stream string, after int64, limit int) (hub.Page, error) {
	p, err := r.events.MemberEvents(ctx, user, stream, after, limit)
	if err != nil {
		return hub.Page{}, err
	}
	events, err := hubEvents(p.Events)
	return hub.Page{Member: p.Member, AddedSeq: p.AddedSeq, LastSeq: p.LastSeq, Trimmed: p.Trimmed, Events: events}, err
}

func hubEvents(events []chat.Event) ([]hub.Event, error) {
	list := make([]hub.Event, len(events))
	for i, e := range events {
		he, err := hubEvent(e)
		if err != nil {
			return nil, err
		}
		list[i] = he
	}
	return list, nil
}

func hubEvent(e chat.Event) (hub.Event, error) {
	data, err := e.Encode()
	if err != nil {
		return hub.Event{}, err
	}
	he := hub.Event{Stream: e.StreamID, Seq: e.Seq, Op: string(e.Op), Data: data, Stamp: int64(e.TS)}
	switch e.Op {
	case chat.OpMemberRemoved:
		he.Kind, he.Subject = hub.Removed, e.Subject
	case chat.OpChatDeleted:
		he.Kind = hub.Ended
	case chat.OpMessageCreated:
		he.Kind, he.Target = hub.Content, e.Seq
	case chat.OpMessageEdited:
		he.Kind, he.Target = hub.Content|hub.Rewrite, e.MessageSeq
	case chat.OpMessageDeleted:
		he.Kind, he.Target = hub.Rewrite, e.MessageSeq
	}
	return he, nil
}

// errNotJSON is returned for what clients could not read.
var errNotJSON = errors.New("data is not JSON")

// checkData judges the data of what the bus brings, and returns the time of an event in
// milliseconds: 0 for hints, which have none.
func checkData(e hub.Event) (stamp int64, err error) {
	if !json.Valid(e.Data) {
		return 0, errNotJSON
	}
	if e.Kind.Has(hub.Passing) {
		return 0, nil
	}
	return timeOf(e.Data)
}

// timeOf finds the time in an event's document. Only chat.Event.Encode writes one, which puts the
// time before whatever people choose.
func timeOf(document []byte) (int64, error) {
	_, rest, found := bytes.Cut(document, []byte(`"ts":"`))
	text, _, ended := bytes.Cut(rest, []byte(`",`))
	if document[0] != '{' || !found || !ended {
		return 0, errors.New("data is not an event")
	}
	var ts time.Time
	if err := ts.UnmarshalText(text); err != nil {
		return 0, fmt.Errorf("read time of event: %w", err)
	}
	return ts.UnixMilli(), nil
}
