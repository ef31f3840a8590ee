package server

import (
	"context"

	"fechatter/chat"
	"fechatter/security"
)

type requestResetInput struct {
	LinkInput
	Body struct {
		Username string `json:"username,omitempty"`
		Email    string `json:"email,omitempty" doc:"instead of the username"`
	}
}

// requestReset answers the same in the same time, whoever is asked for: what there is to find
// out is found out later, by a job.
func (s *Server) requestReset(ctx context.Context, in *requestResetInput) (*struct{}, error) {
	if err := s.rates.logins.charge(callerOf(ctx).from); err != nil {
		return nil, err
	}
	err := s.chat.RequestReset(ctx, chat.ResetRequest{Username: in.Body.Username, Email: in.Body.Email, Language: in.language})
	if err == nil {
		s.note(callerOf(ctx), security.Entry{Event: security.ResetRequested})
	}
	return nil, err
}

type completeResetInput struct {
	Body struct {
		Token       string `json:"token" required:"true"`
		NewPassword string `json:"new_password" required:"true" doc:"8 to 128 characters; not the username, none of the most common passwords"`
	}
}

type completeResetOutput struct {
	SetCookie []string `header:"Set-Cookie"`
}

// completeReset makes the device one that the account knows: whoever guesses at the old
// password does not keep its owner from logging in with the new one.
func (s *Server) completeReset(ctx context.Context, in *completeResetInput) (*completeResetOutput, error) {
	c := callerOf(ctx)
	if err := s.rates.logins.charge(c.from); err != nil {
		return nil, err
	}
	leave, err := s.hashing.enter(ctx, guessed(in.Body.Token), c.from)
	if err != nil {
		return nil, err
	}
	defer leave()
	u, err := s.chat.CompleteReset(ctx, in.Body.Token, in.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	s.note(c, security.Entry{Event: security.PasswordReset, User: u.ID})
	return &completeResetOutput{SetCookie: []string{s.rememberDevice(u.Username).String()}}, nil
}

type issueResetInput struct {
	IDInput
	LinkInput
}

type issueResetOutput struct {
	Body struct {
		URL       string    `json:"url"`
		ExpiresAt chat.Time `json:"expires_at"`
	}
}

func (s *Server) issueReset(ctx context.Context, in *issueResetInput) (*issueResetOutput, error) {
	l, err := s.chat.IssueReset(ctx, administrator(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	s.note(callerOf(ctx), security.Entry{Event: security.ResetIssued, Subject: in.ID})
	out := &issueResetOutput{}
	out.Body.URL, out.Body.ExpiresAt = s.link(in.LinkInput, "reset", l.Code), l.ExpiresAt
	return out, nil
}

type changeEmailInput struct {
	LinkInput
	Body struct {
		Email           string `json:"email" required:"true"`
		CurrentPassword string `json:"current_password" required:"true"`
	}
}

// changeEmail is as limited as changing the password: it checks one.
func (s *Server) changeEmail(ctx context.Context, in *changeEmailInput) (*struct{}, error) {
	c := callerOf(ctx)
	by := guesser{"session " + c.session.ID, true, c.from}
	if err := s.rates.chargeLogIn(by); err != nil {
		return nil, err
	}
	err := s.checked(ctx, by, chat.Forbidden, func() error {
		return s.chat.ChangeEmail(ctx, c.session, in.Body.Email, in.Body.CurrentPassword, in.language)
	})
	switch chat.CodeOf(err) {
	case "":
		s.note(c, security.Entry{Event: security.EmailGiven})
	case chat.Forbidden:
		s.note(c, security.Entry{Event: security.PasswordRefused})
	}
	return nil, err
}

type confirmEmailInput struct {
	LinkInput
	Body struct {
		Token string `json:"token" required:"true"`
	}
}

func (s *Server) confirmEmail(ctx context.Context, in *confirmEmailInput) (*struct{}, error) {
	c := callerOf(ctx)
	err := s.chat.ConfirmEmail(ctx, c.userID(), in.Body.Token, in.language)
	if err == nil {
		s.note(c, security.Entry{Event: security.EmailConfirmed})
	}
	return nil, err
}
