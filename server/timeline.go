package server

import (
	"context"
	"time"

	"fechatter/chat"
	"fechatter/timeline"
)

type timelineOutput struct {
	Body struct {
		MessageID string            `json:"message_id"`
		ChatID    string            `json:"chat_id"`
		Seq       int64             `json:"seq"`
		Nodes     []timeline.Stages `json:"nodes" doc:"nodes that know the message, earliest first; times are by their own clocks"`
	}
}

// getTimeline shows times and counts of any message, and nothing of its content.
func (s *Server) getTimeline(ctx context.Context, in *IDInput) (*timelineOutput, error) {
	chatID, seq, err := s.chat.PlaceOf(ctx, administrator(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	nodes := s.timeline.Nodes(ctx, chatID, seq)
	if len(nodes) == 0 {
		return nil, chat.Errorf(chat.NotFound, "no node remembers this message: it is too old, or older than the nodes")
	}
	out := &timelineOutput{}
	b := &out.Body
	b.MessageID, b.ChatID, b.Seq, b.Nodes = in.ID, chatID, seq, nodes
	return out, nil
}

// noTimeline is the timeline of a server without one.
type noTimeline struct{}

func (noTimeline) Received(string, int64, time.Time)                      {}
func (noTimeline) Nodes(context.Context, string, int64) []timeline.Stages { return nil }
