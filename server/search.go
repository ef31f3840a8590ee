package server

import (
	"context"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
)

// Searcher finds messages for a user; chat.Search is one. It may be called
// concurrently.
type Searcher interface {
	Find(ctx context.Context, userID string, r chat.SearchRequest) (chat.SearchResult, error)
}

type searchInput struct {
	Q        string    `query:"q" doc:"words, \"phrases\", from:NAME in:CHAT before:, after: and on:YYYY-MM-DD has:link; at most 1024 bytes"`
	ChatID   string    `query:"chat_id"`
	SenderID string    `query:"sender_id"`
	Since    timeParam `query:"since" doc:"created at or after this time"`
	Until    timeParam `query:"until" doc:"created before this time"`
	Offset   int       `query:"offset" minimum:"0" maximum:"1000" default:"0"`
	LimitInput
}

type searchOutput struct {
	Body struct {
		Hits   []chat.SearchHit `json:"hits" doc:"the best first; highlight is HTML in which only <mark> and </mark> are markup"`
		Total  int              `json:"total" doc:"of all pages; an estimate where there are many"`
		TookMS int64            `json:"took_ms"`
		LagMS  int64            `json:"lag_ms" doc:"for how long the oldest change that the index does not know has been waiting"`
	}
}

func (s *Server) searchMessages(ctx context.Context, in *searchInput) (*searchOutput, error) {
	found, err := s.search.Find(ctx, callerOf(ctx).userID(), chat.SearchRequest{
		Q: in.Q, ChatID: in.ChatID, SenderID: in.SenderID, Since: in.Since.pointer(), Until: in.Until.pointer(),
		Offset: in.Offset, Limit: in.Limit,
	})
	out := &searchOutput{}
	b := &out.Body
	b.Hits, b.Total, b.TookMS, b.LagMS = list(found.Hits), found.Total, found.Took.Milliseconds(), found.Lag.Milliseconds()
	return out, err
}

// timeParam is a time in the query that may be missing.
type timeParam struct {
	value time.Time
	set   bool
}

// Schema, Receiver and OnParamSet are how huma describes, fills and reports it.
func (p timeParam) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[time.Time]())
}

// Receiver gives what huma parses into.
func (p *timeParam) Receiver() reflect.Value { return reflect.ValueOf(&p.value).Elem() }

// OnParamSet is told whether the parameter was there.
func (p *timeParam) OnParamSet(isSet bool, _ any) { p.set = isSet }

func (p timeParam) pointer() *chat.Time {
	if !p.set {
		return nil
	}
	return new(chat.TimeOf(p.value))
}
