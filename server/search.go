package server

import (
	"context"
	"reflect"
	"time"
	_ "time/tzdata" // for machines without time zones, such as containers

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
)

// Searcher finds messages for a user, as chat.Search does. It may be called
// concurrently.
type Searcher interface {
	Find(ctx context.Context, userID string, r chat.SearchRequest) (chat.SearchResult, error)
}

type searchInput struct {
	Q        string    `query:"q" doc:"words, \"phrases\", from:NAME in:CHAT before:, after: and on:YYYY-MM-DD has:link; what cannot be a filter is text; at most 1024 bytes"`
	ChatID   string    `query:"chat_id"`
	SenderID string    `query:"sender_id"`
	Since    timeParam `query:"since" doc:"created at or after this time"`
	Until    timeParam `query:"until" doc:"created before this time"`
	TZ       string    `query:"tz" doc:"IANA name of the time zone whose days before:, after: and on: count; default UTC"`
	Offset   int       `query:"offset" minimum:"0" maximum:"1000" default:"0"`
	LimitInput
}

type searchOutput struct {
	Body struct {
		Hits   []chat.SearchHit `json:"hits" doc:"best first; highlight is HTML in which only <mark> and </mark> are markup"`
		Total  int              `json:"total" doc:"of all pages; an estimate if there are many"`
		TookMS int64            `json:"took_ms"`
		LagMS  int64            `json:"lag_ms" doc:"how long the oldest change not yet in the index has been waiting"`
	}
}

func (s *Server) searchMessages(ctx context.Context, in *searchInput) (*searchOutput, error) {
	found, err := s.find(ctx, callerOf(ctx).userID(), chat.SearchRequest{
		Q: in.Q, ChatID: in.ChatID, SenderID: in.SenderID, Since: in.Since.pointer(), Until: in.Until.pointer(),
		Offset: in.Offset, Limit: in.Limit, TZ: in.TZ,
	})
	out := &searchOutput{}
	b := &out.Body
	b.Hits, b.Total, b.TookMS, b.LagMS = list(found.Hits), found.Total, found.Took.Milliseconds(), found.Lag.Milliseconds()
	return out, err
}

// timeParam is an optional time in the query.
type timeParam struct {
	value time.Time
	set   bool
}

// Schema, Receiver and OnParamSet let huma describe, fill and report it.
func (p timeParam) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[time.Time]())
}

// Receiver returns what huma parses into.
func (p *timeParam) Receiver() reflect.Value { return reflect.ValueOf(&p.value).Elem() }

// OnParamSet notes whether the parameter was present.
func (p *timeParam) OnParamSet(isSet bool, _ any) { p.set = isSet }

func (p timeParam) pointer() *chat.Time {
	if !p.set {
		return nil
	}
	return new(chat.TimeOf(p.value))
}
