package chat

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
)

// Vouched is what the token of an application says about one of its users.
type Vouched struct {
	External
	Name, Username      string // "" if it does not say
	IssuedAt, ExpiresAt Time   // IssuedAt 0 if it does not say
	Create              bool   // the user, if nobody is there yet
	Now                 Time   // on the clock by which the token was judged
}

// Tokens verifies what applications issue for their users. It may be called concurrently.
type Tokens interface {
	// Verify errors: unauthenticated, ErrSessionExpired, unavailable.
	Verify(ctx context.Context, token string) (Vouched, error)
}

// WithTokens returns a copy of the service that believes the tokens of applications.
func (s *Service) WithTokens(t Tokens) *Service {
	named := *s
	named.tokens = t
	return &named
}

func isToken(token string) bool { return strings.Count(token, ".") == 2 }

// authenticateToken finds the session that the token of an application is, and makes its user
// at first sight. All tokens of a user are one session, whose id is that of the user: to be
// revoked, they need not be known.
func (s *Service) authenticateToken(ctx context.Context, token string) (Session, error) {
	if s.tokens == nil {
		return Session{}, invalidToken()
	}
	v, err := s.tokens.Verify(ctx, token)
	if err != nil {
		return Session{}, err
	}
	if err := v.valid(); err != nil {
		return Session{}, Wrap(Unauthenticated, err, "this token does not say whose it is")
	}
	a, after, err := s.store.ExternalUser(ctx, v.External)
	if CodeOf(err) == NotFound && v.Create {
		if err = s.joinVouched(ctx, v); err != nil {
			return Session{}, err
		}
		a, after, err = s.store.ExternalUser(ctx, v.External)
	}
	switch {
	case CodeOf(err) == NotFound:
		return Session{}, Errorf(Unauthenticated, "nobody here is whom this token is about")
	case err != nil:
		return Session{}, err
	}
	session := Session{ID: a.ID, UserID: a.ID, CreatedAt: v.IssuedAt, LastUsedAt: v.Now,
		ExpiresAt: v.ExpiresAt, EndsAt: v.ExpiresAt, External: v.External}
	return session, session.mayGoOn(a, after)
}

// mayGoOn refuses the tokens of somebody who was suspended, and those that were ended.
func (s Session) mayGoOn(a Account, after Time) error {
	switch {
	case a.SuspendedAt != nil:
		return Errorf(Unauthenticated, "this account is suspended")
	case after > 0 && s.CreatedAt < after:
		return Errorf(Unauthenticated, "this token has been ended; get a new one")
	}
	return nil
}

// keepToken refuses what authenticateToken would, as not_found.
func (s *Service) keepToken(ctx context.Context, session Session) error {
	a, after, err := s.store.ExternalUser(ctx, session.External)
	if err == nil && session.mayGoOn(a, after) != nil {
		err = invalidSession()
	}
	return err
}

func invalidSession() error { return Errorf(NotFound, "there is no such session") }

// joinVouched makes the user of a token, under the first of some names that may be had. That
// somebody else makes them at the same moment is no error.
func (s *Service) joinVouched(ctx context.Context, v Vouched) error {
	var last error
	for _, username := range vouchedNames(v) {
		for _, shown := range []string{v.Name, username} {
			u, err := s.newUser(username, shown)
			if err != nil {
				continue
			}
			_, err = s.store.CreateUser(ctx, Entrance{User: u, Program: true, External: &v.External})
			if CodeOf(err) != Conflict {
				return err
			}
			last = err
			if _, _, err := s.store.ExternalUser(ctx, v.External); err == nil {
				return nil
			}
		}
	}
	return last
}

// vouchedNames returns usernames for somebody new: what the application calls them, in the
// letters of a username, with a number behind if others have it, and at last one that nobody
// has.
func vouchedNames(v Vouched) (names []string) {
	for _, source := range []string{v.Username, v.Name, v.Subject} {
		before, _, _ := strings.Cut(source, "@")
		base := strings.Trim(clip(asUsername(before), maxUsername), "-._")
		if !ValidUsername(base) {
			continue
		}
		names = append(names, base)
		for n := 2; n < 10; n++ {
			names = append(names, clip(base, maxUsername-1)+strconv.Itoa(n))
		}
		break
	}
	return append(names, "user-"+strings.ToLower(rand.Text()[:8]))
}

// asUsername returns the characters of a text that a username may have, and a dash for runs of
// others between them.
func asUsername(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r > 0x7F || !isNameByte(byte(r))
	}), "-")
}

func clip(s string, size int) string { return s[:min(len(s), size)] }
