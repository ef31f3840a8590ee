package server

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
	"fechatter/security"
)

type userOutput struct {
	Body chat.User
}

type signUpInput struct {
	LinkInput
	Body struct {
		Username    string `json:"username" required:"true" doc:"3 to 32 characters of a-z 0-9 _ . -"`
		Password    string `json:"password" required:"true" doc:"8 to 128 characters; not the username, none of the most common passwords"`
		DisplayName string `json:"display_name,omitempty" doc:"defaults to the username"`
		Email       string `json:"email,omitempty" doc:"to which a link to confirm it is sent, where the server has mail"`
		Invitation  string `json:"invitation,omitempty" doc:"the code of one; needed unless registration is open"`
		SetupCode   string `json:"setup_code,omitempty" doc:"what the first administrator needs unless registration is open"`
	}
}

func (s *Server) signUp(ctx context.Context, in *signUpInput) (*userOutput, error) {
	if err := s.rates.signups.charge(callerOf(ctx).from); err != nil {
		return nil, err
	}
	leave, err := s.hashing.enter(ctx, guessed(in.Body.Username), callerOf(ctx).from)
	if err != nil {
		return nil, err
	}
	defer leave()
	b := in.Body
	u, err := s.chat.SignUp(ctx, chat.NewUser{Username: b.Username, Password: b.Password, DisplayName: b.DisplayName,
		Email: b.Email, Language: in.language, Invitation: b.Invitation, SetupCode: b.SetupCode})
	switch chat.CodeOf(err) {
	case "":
		s.workspaces.forget()
		s.noteSignUp(ctx, u)
	case chat.Forbidden:
		s.note(callerOf(ctx), security.Entry{Event: security.SignUpRefused})
	}
	return &userOutput{Body: u}, err
}

type meOutput struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      struct {
		chat.User
		Administrator bool          `json:"administrator,omitempty" doc:"missing for everyone else"`
		Email         string        `json:"email,omitempty" doc:"which nobody else sees"`
		EmailVerified bool          `json:"email_verified"`
		SecondFactor  []chat.Method `json:"second_factor" doc:"of which a log-in by password needs one: totp, recovery_code, passkey"`
		Passkeys      int           `json:"passkeys" doc:"how many"`
		MustSetUp     bool          `json:"must_set_up_second_factor,omitempty" doc:"until then everything else is forbidden"`
	}
}

// me is what a browser asks first: its cookie is extended to the life of the session.
func (s *Server) me(ctx context.Context, _ *struct{}) (*meOutput, error) {
	c := callerOf(ctx)
	a, err := s.chat.Account(ctx, c.userID())
	if err != nil {
		return nil, err
	}
	out := &meOutput{}
	f, err := s.chat.Factors(ctx, c.userID())
	if err != nil {
		return nil, err
	}
	out.Body.User, out.Body.Administrator = a.User, a.Administrator
	if out.Body.Email, out.Body.EmailVerified, err = s.chat.Email(ctx, a.ID); err != nil {
		return nil, err
	}
	out.Body.Passkeys = f.Passkeys
	out.Body.SecondFactor, out.Body.MustSetUp = list(s.chat.SecondSteps(f)), c.session.Restricted
	if c.cookie != "" {
		life := c.session.ExpiresAt.Time().Sub(c.session.LastUsedAt.Time())
		out.SetCookie = s.cookies(c.cookie, max(life, time.Second))
	}
	return out, nil
}

type updateMeInput struct {
	Body struct {
		DisplayName *string    `json:"display_name,omitempty"`
		StatusText  *string    `json:"status_text,omitempty"`
		StatusEmoji *string    `json:"status_emoji,omitempty" doc:"one emoji, or none"`
		StatusUntil *chat.Time `json:"status_until,omitempty" doc:"when the status is gone; a new text or emoji without it stays"`
		TimeZone    *string    `json:"time_zone,omitempty" doc:"IANA name, such as Europe/Berlin, or none"`
	}
}

func (s *Server) updateMe(ctx context.Context, in *updateMeInput) (*userOutput, error) {
	b := in.Body
	status := chat.StatusChange{StatusText: b.StatusText, StatusEmoji: b.StatusEmoji, StatusUntil: b.StatusUntil}
	u, err := s.chat.UpdateProfile(ctx, callerOf(ctx).userID(), chat.Profile{DisplayName: b.DisplayName, TimeZone: b.TimeZone, StatusChange: status})
	if err == nil && status.Any() {
		s.presence.ProfileChanged(u.ID)
	}
	return &userOutput{Body: u}, err
}

type changePasswordInput struct {
	Body struct {
		CurrentPassword string `json:"current_password" required:"true"`
		NewPassword     string `json:"new_password" required:"true" doc:"8 to 128 characters; not the username, none of the most common passwords"`
	}
}

func (s *Server) changePassword(ctx context.Context, in *changePasswordInput) (*struct{}, error) {
	c := callerOf(ctx)
	err := s.withPassword(ctx, func() error {
		return s.chat.ChangePassword(ctx, c.session, in.Body.CurrentPassword, in.Body.NewPassword)
	})
	if err == nil {
		s.note(c, security.Entry{Event: security.PasswordChanged})
	}
	return nil, err
}

type SearchUsersInput struct {
	Q string `query:"q" doc:"part of a username or display name; empty: all"`
	PageInput
}

type listUsersInput struct {
	IDs []string `query:"id,explode" maxItems:"200" doc:"only these users, all on one page; without q and after"`
	SearchUsersInput
}

// Resolve refuses an empty id: those who ask for one user by mistake do not mean all of them.
func (in *listUsersInput) Resolve(ctx huma.Context) []error { return refuseEmpty(ctx, "id") }

type usersOutput struct {
	Body struct {
		Users []chat.User `json:"users"`
		Next  string      `json:"next,omitempty"`
	}
}

func (s *Server) listUsers(ctx context.Context, in *listUsersInput) (*usersOutput, error) {
	out := &usersOutput{}
	if len(in.IDs) > 0 {
		if in.Q != "" || in.After != "" {
			return nil, chat.Errorf(chat.BadRequest, "id excludes q and after")
		}
		users, err := s.chat.UsersByID(ctx, in.IDs)
		out.Body.Users = list(users)
		return out, err
	}
	users, next, err := s.chat.Users(ctx, in.Q, in.page())
	out.Body.Users, out.Body.Next = list(users), next
	return out, err
}

func (s *Server) getUser(ctx context.Context, in *IDInput) (*userOutput, error) {
	u, err := s.chat.User(ctx, in.ID)
	return &userOutput{Body: u}, err
}
