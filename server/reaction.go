package server

import "context"

type reactionPayload struct {
	MessageID string `json:"message_id" required:"true"`
	Emoji     string `json:"emoji" required:"true"`
}

func (c *connection) addReaction(ctx context.Context, in reactionPayload) (seqAnswer, error) {
	seq, err := c.server.chat.React(ctx, c.user(), in.MessageID, in.Emoji)
	return seqAnswer{Seq: seq}, err
}

func (c *connection) removeReaction(ctx context.Context, in reactionPayload) (seqAnswer, error) {
	seq, err := c.server.chat.Unreact(ctx, c.user(), in.MessageID, in.Emoji)
	return seqAnswer{Seq: seq}, err
}

// ReactionInput names an emoji under a message.
type ReactionInput struct {
	IDInput
	Emoji string `path:"emoji" doc:"one emoji, percent-encoded"`
}

func (s *Server) react(ctx context.Context, in *ReactionInput) (*seqOutput, error) {
	return seqOf(s.chat.React(ctx, callerOf(ctx).userID(), in.ID, in.Emoji))
}

func (s *Server) unreact(ctx context.Context, in *ReactionInput) (*seqOutput, error) {
	return seqOf(s.chat.Unreact(ctx, callerOf(ctx).userID(), in.ID, in.Emoji))
}

type listReactorsInput struct {
	ReactionInput
	PageInput
}

type reactorsOutput struct {
	Body struct {
		UserIDs []string `json:"user_ids"`
		Next    string   `json:"next,omitempty"`
	}
}

func (s *Server) listReactors(ctx context.Context, in *listReactorsInput) (*reactorsOutput, error) {
	ids, next, err := s.chat.Reactors(ctx, callerOf(ctx).userID(), in.ID, in.Emoji, in.page())
	out := &reactorsOutput{}
	out.Body.UserIDs, out.Body.Next = list(ids), next
	return out, err
}
