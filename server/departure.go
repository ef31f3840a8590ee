package server

import (
	"context"
	"strconv"

	"fechatter/chat"
	"fechatter/security"
)

type deleteMeInput struct {
	Body struct {
		CurrentPassword string `json:"current_password" required:"true"`
	}
}

func (s *Server) deleteMe(ctx context.Context, in *deleteMeInput) (*revokedOutput, error) {
	c, revoked := callerOf(ctx), 0
	err := s.withPassword(ctx, func() (err error) {
		revoked, err = s.chat.DeleteAccount(ctx, c.userID(), in.Body.CurrentPassword)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.note(c, security.Entry{Event: security.AccountDeleted, Detail: strconv.Itoa(revoked)})
	s.presence.ProfileChanged(c.userID())
	return &revokedOutput{SetCookie: s.cookies("", 0), ClearSiteData: clearCache}, nil
}

// withPassword runs what checks the password of whoever is logged in. It could serve to guess
// one as much as log-in, and is as limited: its failures count for the session.
func (s *Server) withPassword(ctx context.Context, check func() error) error {
	c := callerOf(ctx)
	by := guesser{"session " + c.session.ID, true, c.from}
	if err := s.rates.chargeLogIn(by); err != nil {
		return err
	}
	err := s.checked(ctx, by, chat.Forbidden, check)
	if chat.CodeOf(err) == chat.Forbidden {
		s.note(c, security.Entry{Event: security.PasswordRefused})
	}
	return err
}
