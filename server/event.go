package server

import (
	"context"

	"fechatter/chat"
)

type listEventsInput struct {
	IDInput
	AfterSeq int64 `query:"after_seq" default:"0"`
	LimitInput
}

type eventsOutput struct {
	Body struct {
		Events  []chat.Event `json:"events"`
		LastSeq int64        `json:"last_seq"`
		Epoch   string       `json:"epoch"`
		Reset   *resetView   `json:"reset,omitempty" doc:"the log no longer reaches back to after_seq: read the history"`
	}
}

type resetView struct {
	Reason string `json:"reason"`
	Seq    int64  `json:"seq"`
}

func (s *Server) listEvents(ctx context.Context, in *listEventsInput) (*eventsOutput, error) {
	page, err := s.chat.Events(ctx, callerOf(ctx).userID(), in.ID, in.AfterSeq, in.Limit)
	out := &eventsOutput{}
	out.Body.Events, out.Body.LastSeq, out.Body.Epoch = list(page.Events), page.LastSeq, page.Epoch
	if page.Trimmed {
		out.Body.Events, out.Body.Reset = []chat.Event{}, &resetView{Reason: "trimmed", Seq: page.LastSeq}
	}
	return out, err
}
