package server

import (
	"context"
)

func (s *Server) acceptChat(ctx context.Context, in *IDInput) (*entryOutput, error) {
	me := callerOf(ctx).userID()
	e, err := s.chat.Accept(ctx, me, in.ID)
	if err == nil {
		err = s.tellMembership(me, in.ID, membershipData{Muted: e.Muted, Hidden: e.Hidden, Request: e.Request})
	}
	return &entryOutput{Body: e}, err
}
