package chat

import (
	"context"
	"strings"
	"time"
)

// Key is what a program has instead of a log-in: a token that bears the name of a bot and
// is good for its scopes.
type Key struct {
	ID         string `json:"id"`
	BotID      string `json:"-"`
	Name       string `json:"name"`
	Scopes     Scopes `json:"scopes"`
	CreatedBy  string `json:"created_by"`
	CreatedAt  Time   `json:"created_at"`
	LastUsedAt *Time  `json:"last_used_at,omitempty"` // to the minute
	ExpiresAt  *Time  `json:"expires_at,omitempty"`   // missing: never
}

// NewKey describes a key. Lasts 0 means for ever.
type NewKey struct {
	Name   string
	Scopes []string
	Lasts  time.Duration
}

const (
	// keyPrefix begins every key, so that one that was published by mistake can be found.
	keyPrefix  = "fechatter_"
	maxKeyName = 64
	maxKeyTTL  = 10 * 365 * 24 * time.Hour
)

// MakeKey makes a key, and returns it with the token, which nobody sees again. Nobody grants
// a scope above their own: a key only scopes that it has, and who is no administrator neither
// act_as nor admin. Errors: forbidden, bad_request, not_found, conflict.
func (s *Service) MakeKey(ctx context.Context, actor Actor, botID string, n NewKey) (k Key, token string, err error) {
	k = Key{ID: s.newID(), BotID: botID, CreatedBy: actor.name()}
	if k.Name, err = cleanName("name", n.Name, 1, maxKeyName); err != nil {
		return Key{}, "", err
	}
	if k.Scopes, err = ParseScopes(n.Scopes); err != nil {
		return Key{}, "", err
	}
	if n.Lasts != 0 && (n.Lasts < time.Second || n.Lasts > maxKeyTTL) {
		return Key{}, "", Errorf(BadRequest, "expires_in_s must be 1 to %d", int(maxKeyTTL/time.Second))
	}
	code, _ := newCode()
	token = keyPrefix + code
	err = s.administerBot(ctx, actor, botID, func(ctx context.Context, tx AdminTx, bot Account, trusted bool) (audit, error) {
		if err := actor.mayGrant(k.Scopes, trusted); err != nil {
			return audit{}, err
		}
		if bot.SuspendedAt != nil {
			return audit{}, Errorf(Forbidden, "this account is suspended")
		}
		k.CreatedAt, k.ExpiresAt = tx.Now(), nil
		if n.Lasts > 0 {
			ends := tx.Now().Add(n.Lasts)
			k.ExpiresAt = &ends
		}
		if have, err := tx.CountKeys(ctx, botID); err != nil || have >= maxBotKeys {
			if err == nil {
				err = Errorf(Conflict, "this bot has %d keys, which is as many as one may have: revoke one", have)
			}
			return audit{}, err
		}
		return audit{AuditKeyMade, k.Name + ": " + k.Scopes.String()}, tx.InsertKey(ctx, k, hashToken(token))
	})
	return k, token, err
}

func (a Actor) mayGrant(scopes Scopes, trusted bool) error {
	switch {
	case a.byKey && scopes&^a.scopes != 0:
		return Errorf(Forbidden, "a key grants no scope that it does not have: %s", scopes&^a.scopes)
	case !trusted && scopes&(ScopeActAs|ScopeAdmin) != 0:
		return Errorf(Forbidden, "only administrators grant act_as and admin")
	}
	return nil
}

// Keys lists the keys of a bot. Errors: forbidden, not_found.
func (s *Service) Keys(ctx context.Context, actor Actor, botID string, p Page) ([]Key, string, error) {
	if _, _, err := s.authorizeBot(ctx, actor, s.store.Account, botID); err != nil {
		return nil, "", err
	}
	return s.store.Keys(ctx, botID, p)
}

// RevokeKey ends a key, and the connections that live by it. Errors: forbidden, not_found.
func (s *Service) RevokeKey(ctx context.Context, actor Actor, botID, keyID string) error {
	return s.administerBot(ctx, actor, botID, func(ctx context.Context, tx AdminTx, _ Account, _ bool) (audit, error) {
		if !ValidID(keyID) {
			return audit{}, noKey()
		}
		k, err := tx.DeleteKey(ctx, botID, keyID)
		return audit{AuditKeyRevoked, k.Name}, err
	})
}

func noKey() error { return Errorf(NotFound, "there is no such key") }

// administerBot runs an act on a bot for whoever looks after it.
func (s *Service) administerBot(ctx context.Context, actor Actor, botID string,
	act func(ctx context.Context, tx AdminTx, bot Account, trusted bool) (audit, error)) error {
	return s.store.Administer(ctx, botID, func(ctx context.Context, tx AdminTx) error {
		bot, trusted, err := s.authorizeBot(ctx, actor, tx.Account, botID)
		if err != nil {
			return err
		}
		did, err := act(ctx, tx, bot, trusted)
		if err != nil {
			return err
		}
		return tx.Record(ctx, AuditEntry{ID: s.newID(), Actor: actor.name(), Action: did.action, Subject: botID, Detail: did.detail})
	})
}

// authenticateKey finds the session that a key is.
func (s *Service) authenticateKey(ctx context.Context, token string) (Session, error) {
	k, suspended, now, err := s.store.KeyByToken(ctx, hashToken(token))
	switch {
	case CodeOf(err) == NotFound:
		return Session{}, invalidToken()
	case err != nil:
		return Session{}, err
	case suspended:
		return Session{}, Errorf(Unauthenticated, "this account is suspended")
	}
	v := Session{ID: k.ID, UserID: k.BotID, Device: k.Name, CreatedAt: k.CreatedAt, LastUsedAt: now, KeyOf: k.BotID, Scopes: k.Scopes}
	if k.ExpiresAt != nil {
		if v.EndsAt = *k.ExpiresAt; now >= v.EndsAt {
			return Session{}, ErrSessionExpired
		}
	}
	if k.LastUsedAt != nil && now < k.LastUsedAt.Add(sessionTouch) {
		return v, nil
	}
	switch err := s.store.TouchKey(ctx, k.ID); CodeOf(err) {
	case "", Unavailable, UnknownOutcome: // a database that accepts no writes can be read
		return v, nil
	case NotFound: // revoked just now
		return Session{}, invalidToken()
	default:
		return Session{}, err
	}
}

func isKey(token string) bool { return strings.HasPrefix(token, keyPrefix) }

func invalidToken() error { return Errorf(Unauthenticated, "this token is not valid") }

// ActAs returns the session in which a key with the scope act_as acts in the name of a user,
// given by id or username. Errors: forbidden, not_found.
func (s *Service) ActAs(ctx context.Context, by Session, user string) (Session, error) {
	if err := by.Admit(ScopeActAs); err != nil {
		return Session{}, err
	}
	find := s.store.AccountNamed
	if ValidID(user) {
		find = s.store.Account
	}
	a, err := find(ctx, user)
	if err != nil {
		return Session{}, err
	}
	if a.SuspendedAt != nil {
		return Session{}, Errorf(Forbidden, "the account of this user is suspended")
	}
	by.UserID = a.ID
	return by, nil
}

// NoteActing writes into the audit log that a key acts in the name of a user.
func (s *Service) NoteActing(ctx context.Context, by Session, what string) error {
	return s.store.Record(ctx, AuditEntry{ID: s.newID(), Actor: by.KeyOf, Action: AuditActed, Subject: by.UserID, Detail: what})
}
