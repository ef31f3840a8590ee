package server

import (
	"context"

	"fechatter/chat"
)

type cursorPayload struct {
	ChatID       string `json:"chat_id" required:"true"`
	ReadSeq      *int64 `json:"read_seq,omitempty"`
	DeliveredSeq *int64 `json:"delivered_seq,omitempty"`
}

func (c *connection) setCursor(ctx context.Context, in cursorPayload) (chat.CursorState, error) {
	return c.server.moveCursor(ctx, c.user(), in.ChatID,
		chat.CursorChange{ReadSeq: in.ReadSeq, DeliveredSeq: in.DeliveredSeq}, c.socket)
}

type setCursorInput struct {
	IDInput
	Body struct {
		ReadSeq      *int64 `json:"read_seq,omitempty"`
		DeliveredSeq *int64 `json:"delivered_seq,omitempty"`
	}
}

type cursorOutput struct {
	Body chat.CursorState
}

func (s *Server) setCursor(ctx context.Context, in *setCursorInput) (*cursorOutput, error) {
	state, err := s.moveCursor(ctx, callerOf(ctx).userID(), in.ID,
		chat.CursorChange{ReadSeq: in.Body.ReadSeq, DeliveredSeq: in.Body.DeliveredSeq}, nil)
	return &cursorOutput{Body: state}, err
}

type cursorsOutput struct {
	Body struct {
		Cursors []chat.Cursor `json:"cursors"`
		Next    string        `json:"next,omitempty"`
	}
}

func (s *Server) listCursors(ctx context.Context, in *listMembersInput) (*cursorsOutput, error) {
	cursors, next, err := s.chat.Cursors(ctx, callerOf(ctx).userID(), in.ID, in.page())
	out := &cursorsOutput{}
	out.Body.Cursors, out.Body.Next = list(cursors), next
	return out, err
}

type typingPayload struct {
	ChatID string `json:"chat_id" required:"true"`
	Typing bool   `json:"typing" required:"true"`
}

func (c *connection) setTyping(ctx context.Context, in typingPayload) (nothing, error) {
	c.acted()
	return nothing{}, c.server.setTyping(ctx, c.user(), in.ChatID, in.Typing)
}

type typingInput struct {
	IDInput
	Body struct {
		Typing bool `json:"typing"`
	}
}

func (s *Server) postTyping(ctx context.Context, in *typingInput) (*struct{}, error) {
	return nil, s.setTyping(ctx, callerOf(ctx).userID(), in.ID, in.Body.Typing)
}
