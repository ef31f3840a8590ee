package app

import (
	"context"
	"log/slog"
	"time"

	"fechatter/chat"
	"fechatter/hub"
	"fechatter/timeline"
	"fechatter/tracing"
)

// eventLog is what the relay reads of the store's event log.
type eventLog interface {
	Positions(ctx context.Context, streams []string) (epoch string, last map[string]int64, err error)
	StreamEvents(ctx context.Context, stream string, after int64, limit int) ([]chat.Event, error)
	MemberEvents(ctx context.Context, userID, chatID string, after int64, limit int) (chat.MemberEvents, error)
}

// relay joins the store and the hub, which do not know each other: committed
// events go to the hub, encoded once, and the hub reads the log through it.
type relay struct {
	hub    *hub.Hub // these two set once, before anything is stored
	index  interface{ Wake(changes int) }
	events eventLog
	log    *slog.Logger
	tracer *tracing.Tracer // nil: nothing is followed

	followed *followed
	book     *timeline.Book
}

// Publish hands committed events to the hub. What cannot be encoded is repaired
// from the log by whoever misses it, like an event that was lost.
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
			r.log.Error("publish event", "op", e.Op, "stream", e.StreamID, "seq", e.Seq, "err", err)
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

// Positions is part of hub.Source.
func (r *relay) Positions(ctx context.Context, streams []string) (string, map[string]int64, error) {
	return r.events.Positions(ctx, streams)
}

// Events is part of hub.Source.
func (r *relay) Events(ctx context.Context, stream string, after int64, limit int) ([]hub.Event, error) {
	events, err := r.events.StreamEvents(ctx, stream, after, limit)
	if err != nil {
		return nil, err
	}
	return hubEvents(events)
}

// EventsFor is part of hub.Source.
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
	he := hub.Event{Stream: e.StreamID, Seq: e.Seq, Op: string(e.Op), Data: data}
	switch e.Op {
	case chat.OpMemberRemoved:
		he.Kind, he.Subject = hub.Removed, e.Subject
	case chat.OpMessageCreated:
		he.Kind, he.Target = hub.Content, e.Seq
	case chat.OpMessageEdited:
		he.Kind, he.Target = hub.Content|hub.Rewrite, e.MessageSeq
	case chat.OpMessageDeleted:
		he.Kind, he.Target = hub.Rewrite, e.MessageSeq
	}
	return he, nil
}
