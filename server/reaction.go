package server

import "context"

// ReactionInput names an emoji under a message.
type ReactionInput struct {
	IDInput
	Emoji string `path:"emoji" doc:"percent-encoded; at most 32 bytes"`
}

func (s *Server) react(ctx context.Context, in *ReactionInput) (*seqOutput, error) {
	me := callerOf(ctx).userID()
	if err := s.sends.charge(me); err != nil {
		return nil, err
	}
	return seqOf(s.chat.React(ctx, me, in.ID, in.Emoji))
}

func (s *Server) unreact(ctx context.Context, in *ReactionInput) (*seqOutput, error) {
	me := callerOf(ctx).userID()
	if err := s.sends.charge(me); err != nil {
		return nil, err
	}
	return seqOf(s.chat.Unreact(ctx, me, in.ID, in.Emoji))
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
