package server

import (
	"context"
	"time"

	"fechatter/chat"
)

type userOutput struct {
	Body chat.User
}

type signUpInput struct {
	Body struct {
		Username    string `json:"username" required:"true" doc:"3 to 32 characters of a-z 0-9 _ . -"`
		Password    string `json:"password" required:"true" doc:"8 to 128 characters"`
		DisplayName string `json:"display_name,omitempty" doc:"the username when missing"`
	}
}

func (s *Server) signUp(ctx context.Context, in *signUpInput) (*userOutput, error) {
	if err := s.signups.charge(callerOf(ctx).address); err != nil {
		return nil, err
	}
	u, err := s.chat.SignUp(ctx, chat.NewUser{Username: in.Body.Username, Password: in.Body.Password, DisplayName: in.Body.DisplayName})
	return &userOutput{Body: u}, err
}

type meOutput struct {
	SetCookie string `header:"Set-Cookie"`
	Body      struct {
		chat.User
		Administrator bool `json:"administrator,omitempty" doc:"missing for everybody else"`
	}
}

// me is what a browser asks first: its cookie then lives as long again as its
// session does.
func (s *Server) me(ctx context.Context, _ *struct{}) (*meOutput, error) {
	c := callerOf(ctx)
	a, err := s.chat.Account(ctx, c.userID())
	if err != nil {
		return nil, err
	}
	out := &meOutput{}
	out.Body.User, out.Body.Administrator = a.User, a.Administrator
	if c.cookie != "" {
		life := c.session.ExpiresAt.Time().Sub(c.session.LastUsedAt.Time())
		out.SetCookie = s.cookie(c.cookie, max(life, time.Second)).String()
	}
	return out, nil
}

type updateMeInput struct {
	Body struct {
		DisplayName *string `json:"display_name,omitempty"`
		StatusText  *string `json:"status_text,omitempty"`
	}
}

func (s *Server) updateMe(ctx context.Context, in *updateMeInput) (*userOutput, error) {
	u, err := s.chat.UpdateProfile(ctx, callerOf(ctx).userID(), chat.Profile{DisplayName: in.Body.DisplayName, StatusText: in.Body.StatusText})
	if err == nil && in.Body.StatusText != nil {
		s.presence.ProfileChanged(u.ID)
	}
	return &userOutput{Body: u}, err
}

type changePasswordInput struct {
	Body struct {
		CurrentPassword string `json:"current_password" required:"true"`
		NewPassword     string `json:"new_password" required:"true" doc:"8 to 128 characters"`
	}
}

// changePassword is guessing a password as much as a log-in is, and as limited.
func (s *Server) changePassword(ctx context.Context, in *changePasswordInput) (*struct{}, error) {
	c := callerOf(ctx)
	if err := s.logins.charge(c.address); err != nil {
		return nil, err
	}
	return nil, s.chat.ChangePassword(ctx, c.session, in.Body.CurrentPassword, in.Body.NewPassword)
}

type listUsersInput struct {
	Q string `query:"q" doc:"part of a username or display name; empty: all"`
	PageInput
}

type usersOutput struct {
	Body struct {
		Users []chat.User `json:"users"`
		Next  string      `json:"next,omitempty"`
	}
}

func (s *Server) listUsers(ctx context.Context, in *listUsersInput) (*usersOutput, error) {
	users, next, err := s.chat.Users(ctx, in.Q, in.page())
	out := &usersOutput{}
	out.Body.Users, out.Body.Next = list(users), next
	return out, err
}

func (s *Server) getUser(ctx context.Context, in *IDInput) (*userOutput, error) {
	u, err := s.chat.User(ctx, in.ID)
	return &userOutput{Body: u}, err
}
