package chat

import (
	"context"
	"slices"
	"strings"
	"time"
)

// User is a person as everyone may see them.
type User struct {
	ID          string `json:"id"`
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
	Status
	TimeZone  string `json:"time_zone,omitempty" doc:"IANA name; missing if not told"`
	CreatedAt Time   `json:"created_at"`
	Bot       bool   `json:"bot,omitempty"` // a program, which has no password
}

// NewUser describes a sign-up. An empty DisplayName means the username. Email and the codes
// may be empty; Language is that of a letter to Email.
type NewUser struct {
	Username, Password, DisplayName string

	Email, Language       string
	SetupCode, Invitation string
}

// Profile is a change to what others see of a user; nil leaves a field alone.
type Profile struct {
	DisplayName, TimeZone *string
	StatusChange
}

// Limits of a name and of a password, in characters.
const (
	maxDisplayName = 64
	minPassword    = 8
	maxPassword    = 128
)

// mentionAll is the name that means every member.
const mentionAll = "all"

// SignUp creates a user. Errors: bad_request for an invalid name, password or address,
// forbidden as Entrance.Admit decides, conflict for names as AdmitSignUp does.
func (s *Service) SignUp(ctx context.Context, n NewUser) (User, error) {
	if !s.TakesPasswords() {
		return User{}, passwordsOff()
	}
	if err := validUsername(n.Username); err != nil {
		return User{}, err
	}
	if err := s.validPassword(n.Username, n.Password); err != nil {
		return User{}, err
	}
	if n.DisplayName == "" {
		n.DisplayName = n.Username
	}
	name, err := displayName(n.DisplayName)
	if err != nil {
		return User{}, err
	}
	if n.Email != "" {
		if err := validEmail(n.Email); err != nil {
			return User{}, err
		}
	}
	e := Entrance{User: User{ID: s.newID(), Username: n.Username, DisplayName: name}, Email: n.Email, Language: n.Language,
		Setup: unknownHash(n.SetupCode), Invitation: unknownHash(n.Invitation),
		AppointFirst: len(s.administrators) == 0, Registration: s.admission.Registration, Join: s.joinInvited}
	if err := s.mayComeIn(ctx, e); err != nil {
		return User{}, err
	}
	if e.PasswordHash, err = s.passwords.Hash(ctx, n.Password); err != nil {
		return User{}, Wrap(Unavailable, err, "passwords cannot be hashed right now")
	}
	if n.Email != "" && s.mail {
		e.Letter = &Letter{ID: s.newID(), Purpose: ForEmail, Cause: e.User.ID, UserID: e.User.ID, Address: n.Email, Language: n.Language}
	}
	return s.store.CreateUser(ctx, e)
}

// User returns one user of the directory. Errors: not_found.
func (s *Service) User(ctx context.Context, id string) (User, error) {
	if !ValidID(id) {
		return User{}, noUser()
	}
	return s.store.User(ctx, id)
}

// Users lists the directory by username, everyone or those whose name contains q.
func (s *Service) Users(ctx context.Context, q string, p Page) ([]User, string, error) {
	if err := validText("q", q, 0, maxDisplayName); err != nil {
		return nil, "", err
	}
	return s.store.Users(ctx, strings.TrimSpace(q), p)
}

// UsersByID lists those of the ids that are users, by username, each once.
func (s *Service) UsersByID(ctx context.Context, ids []string) ([]User, error) {
	valid := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !ValidID(id) })
	return s.store.UsersByID(ctx, valid)
}

// UpdateProfile changes what others see of a user. Errors: bad_request, conflict for a new
// display name as AdmitName decides.
func (s *Service) UpdateProfile(ctx context.Context, userID string, p Profile) (User, error) {
	if p.DisplayName != nil {
		name, err := displayName(*p.DisplayName)
		if err != nil {
			return User{}, err
		}
		p.DisplayName = &name
	}
	if p.TimeZone != nil && *p.TimeZone != "" && !isZoneName(*p.TimeZone) {
		return User{}, Errorf(BadRequest, "time_zone must be the name of a time zone, such as Europe/Berlin")
	}
	var err error
	if p.StatusChange, err = p.cleaned(TimeOf(time.Now())); err != nil {
		return User{}, err
	}
	return s.store.SaveProfile(ctx, userID, p)
}
