package chat

import (
	"context"
	"strings"
)

// User is a person as everybody may see them.
type User struct {
	ID          string `json:"id"`
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
	StatusText  string `json:"status_text"`
	CreatedAt   Time   `json:"created_at"`
}

// NewUser is what a sign-up asks for. An empty DisplayName means the username.
type NewUser struct {
	Username, Password, DisplayName string
}

// Profile is a change of what others see of a user; nil leaves a field alone.
type Profile struct {
	DisplayName, StatusText *string
}

// Limits of a profile and of a password, in characters.
const (
	maxDisplayName = 64
	maxStatusText  = 140
	minPassword    = 8
	maxPassword    = 128
)

// mentionAll is the name that means every member; nobody may take it.
const mentionAll = "all"

// SignUp creates a user. Errors: bad_request for a name or password that breaks
// the rules, conflict for a name that is taken.
func (s *Service) SignUp(ctx context.Context, n NewUser) (User, error) {
	if err := validUsername(n.Username); err != nil {
		return User{}, err
	}
	if err := validPassword(n.Password); err != nil {
		return User{}, err
	}
	if n.DisplayName == "" {
		n.DisplayName = n.Username
	}
	if err := validText("display_name", n.DisplayName, 1, maxDisplayName); err != nil {
		return User{}, err
	}
	if n.Username == mentionAll {
		return User{}, Errorf(Conflict, "this username is taken")
	}
	hash, err := s.passwords.Hash(ctx, n.Password)
	if err != nil {
		return User{}, Wrap(Unavailable, err, "passwords cannot be hashed right now")
	}
	u := User{ID: s.newID(), Username: n.Username, DisplayName: n.DisplayName}
	return s.store.CreateUser(ctx, u, hash, s.appointment(u.Username))
}

// User gives one user of the directory; not_found when there is none.
func (s *Service) User(ctx context.Context, id string) (User, error) {
	if !ValidID(id) {
		return User{}, noUser()
	}
	return s.store.User(ctx, id)
}

// Users lists the directory by username, all of it or what contains q.
func (s *Service) Users(ctx context.Context, q string, p Page) ([]User, string, error) {
	if err := validText("q", q, 0, maxDisplayName); err != nil {
		return nil, "", err
	}
	return s.store.Users(ctx, strings.ToLower(strings.TrimSpace(q)), p)
}

// UpdateProfile changes what others see of a user.
func (s *Service) UpdateProfile(ctx context.Context, userID string, p Profile) (User, error) {
	if p.DisplayName != nil {
		if err := validText("display_name", *p.DisplayName, 1, maxDisplayName); err != nil {
			return User{}, err
		}
	}
	if p.StatusText != nil {
		if err := validText("status_text", *p.StatusText, 0, maxStatusText); err != nil {
			return User{}, err
		}
	}
	return s.store.SaveProfile(ctx, userID, p)
}
