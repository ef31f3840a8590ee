package chat

import (
	"context"
	"strings"
)

// External is who somebody is to the application that a workspace is part of: by its own
// id, or by the subject of the tokens of an issuer. With Issuer "" it is the former.
type External struct{ Issuer, Subject string }

// NewExternal describes such a user. An empty Email leaves the address alone.
type NewExternal struct {
	External
	Username, DisplayName, Email string
}

// ExternalStore finds the users of applications.
type ExternalStore interface {
	// ExternalUser also returns since when tokens are believed again: those of before were
	// ended. Errors: not_found.
	ExternalUser(ctx context.Context, e External) (a Account, after Time, err error)
}

const maxExternal = 255 // bytes of an issuer or subject

func (e External) valid() error {
	for name, value := range map[string]string{"the external id": e.Subject, "issuer": "x" + e.Issuer} {
		if len(value) > maxExternal {
			return Errorf(BadRequest, "%s must be at most %d bytes", name, maxExternal)
		}
		if err := validText(name, value, 1, maxExternal); err != nil {
			return err
		}
	}
	return nil
}

// PutExternal makes the user whom an application knows by an id, or changes them to what it
// says; for administrators. Their address is taken to be verified. Errors: forbidden,
// bad_request, conflict.
func (s *Service) PutExternal(ctx context.Context, actor Actor, n NewExternal) (u User, made bool, err error) {
	if err := authorizeAdmin(ctx, actor, s.store.Account); err != nil {
		return User{}, false, err
	}
	if err := n.valid(); err != nil {
		return User{}, false, err
	}
	if n.Email = strings.TrimSpace(n.Email); n.Email != "" {
		if err := validEmail(n.Email); err != nil {
			return User{}, false, err
		}
	}
	wanted, err := s.newUser(n.Username, n.DisplayName)
	if err != nil {
		return User{}, false, err
	}
	a, _, err := s.store.ExternalUser(ctx, n.External)
	if CodeOf(err) == NotFound {
		u, err = s.store.CreateUser(ctx, Entrance{User: wanted, Program: true, MadeBy: actor.name(), External: &n.External, Email: n.Email, Verified: n.Email != ""})
		if CodeOf(err) != Conflict {
			return u, err == nil, err
		}
		refusal := err
		if a, _, err = s.store.ExternalUser(ctx, n.External); CodeOf(err) == NotFound {
			return User{}, false, refusal // about the names or the address
		}
	}
	if err != nil {
		return User{}, false, err
	}
	u, err = s.changeExternal(ctx, actor, a.ID, wanted, n.Email)
	return u, false, err
}

func (s *Service) changeExternal(ctx context.Context, actor Actor, userID string, wanted User, email string) (User, error) {
	var u User
	err := s.administer(ctx, actor, userID, func(ctx context.Context, tx AdminTx) (did audit, err error) {
		a, err := tx.Account(ctx, userID)
		if err != nil {
			return did, err
		}
		u = a.User
		if u.Username != wanted.Username || u.DisplayName != wanted.DisplayName {
			u.Username, u.DisplayName = wanted.Username, wanted.DisplayName
			if err := tx.SaveNames(ctx, u); err != nil {
				return did, err
			}
			did = audit{AuditUserChanged, "was " + a.Username}
		}
		if email == "" {
			return did, nil
		}
		changed, err := tx.SaveVerifiedEmail(ctx, userID, email)
		if changed {
			did.action = AuditUserChanged
		}
		return did, err
	})
	return u, err
}
