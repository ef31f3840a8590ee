package chat

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"
	"unicode/utf8"
)

// Session is one log-in of a user on one device.
type Session struct {
	ID         string `json:"id"`
	UserID     string `json:"-"`
	Device     string `json:"device"`
	CreatedAt  Time   `json:"created_at"`
	LastUsedAt Time   `json:"last_used_at"`
	ExpiresAt  Time   `json:"-"`
	Method     Method `json:"-"`
	// Of ByProvider: who vouched for whom, and under which session of its own.
	Issuer, Subject, ProviderSession string `json:"-"`
	// Restricted is set by Authenticate: the user must set up a second factor first.
	Restricted bool `json:"-"`

	// KeyOf is the bot whose key the session is, "" for a log-in. UserID is then the bot, or
	// the user in whose name it acts, and Scopes bound what it may be used for.
	KeyOf  string `json:"-"`
	Scopes Scopes `json:"-"`
	// EndsAt is when the session ends whatever it is used for; 0: use extends it.
	EndsAt Time `json:"-"`
	// External is who the token of an application is about; zero for what is none.
	External External `json:"-"`
}

// Login is a new session with its token, which is shown only once: the store keeps
// nothing but its SHA-256.
type Login struct {
	Token   string
	Session Session
	User    User
}

// SessionTTL is how long a session lives after its last use.
const SessionTTL = 30 * 24 * time.Hour

// sessionTouch is how often the use of a session is recorded.
const sessionTouch = time.Minute

// ErrSessionExpired is what Authenticate returns for an expired session.
var ErrSessionExpired = Errorf(Unauthenticated, "this session has expired")

const (
	tokenBytes = 32
	maxDevice  = 120
)

func wrongCredentials() error {
	return Errorf(Unauthenticated, "wrong username or password")
}

// verify also returns the hash that the password matches. With the error for a wrong
// password it returns the user. An account without a password has none that is right.
func (s *Service) verify(ctx context.Context, username, password string) (user User, hash string, err error) {
	if len(password) > maxPassword*utf8.UTFMax {
		password = ""
	}
	err = wrongCredentials()
	if validUsername(username) == nil {
		user, hash, err = s.store.Credentials(ctx, username)
	}
	if err == nil && hash == "" { // whoever has no password has none that is right
		err = wrongCredentials()
	}
	switch CodeOf(err) {
	case "":
	case NotFound, Unauthenticated:
		if err := s.passwords.VerifyNone(ctx, password); err != nil {
			return User{}, "", Wrap(Unavailable, err, "passwords cannot be checked right now")
		}
		return User{}, "", wrongCredentials()
	default:
		return User{}, "", err
	}
	ok, err := s.passwords.Verify(ctx, hash, password)
	if err != nil {
		return User{}, "", Wrap(Unavailable, err, "passwords cannot be checked right now")
	}
	if !ok {
		return user, "", wrongCredentials()
	}
	return user, hash, nil
}

// Authenticate finds the session of a token, which may be a key or an application's, and
// extends it. Errors:
// unauthenticated when the token is unknown, revoked or expired.
func (s *Service) Authenticate(ctx context.Context, token string) (Session, error) {
	if isKey(token) {
		return s.authenticateKey(ctx, token)
	}
	if isToken(token) {
		return s.authenticateToken(ctx, token)
	}
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return Session{}, invalidToken()
	}
	session, now, err := s.store.SessionByToken(ctx, hashToken(token))
	if CodeOf(err) == NotFound {
		return Session{}, invalidToken()
	}
	if err != nil {
		return Session{}, err
	}
	if now >= session.ExpiresAt {
		return Session{}, ErrSessionExpired
	}
	if session.Restricted, err = s.restricted(ctx, session); err != nil {
		return Session{}, err
	}
	if now < session.LastUsedAt.Add(sessionTouch) {
		return session, nil
	}
	return s.touch(ctx, session)
}

// touch extends a session that is used.
func (s *Service) touch(ctx context.Context, session Session) (Session, error) {
	used, err := s.store.TouchSession(ctx, session.ID, SessionTTL)
	switch CodeOf(err) {
	case "":
		used.Restricted = session.Restricted
		return used, nil
	case NotFound: // revoked just now
		return Session{}, invalidToken()
	case Unavailable, UnknownOutcome:
		return session, nil // still valid: a database that accepts no writes can be read
	default:
		return Session{}, err
	}
}

// KeepSession extends a session that a live connection uses. Errors: not_found
// when it has been revoked or has expired.
func (s *Service) KeepSession(ctx context.Context, session Session) error {
	if session.External != (External{}) {
		return s.keepToken(ctx, session)
	}
	if session.KeyOf != "" {
		return s.store.TouchKey(ctx, session.ID)
	}
	_, err := s.store.TouchSession(ctx, session.ID, SessionTTL)
	return err
}

// Sessions lists a user's own sessions, most recently used first.
func (s *Service) Sessions(ctx context.Context, userID string, p Page) ([]Session, string, error) {
	return s.store.Sessions(ctx, userID, p)
}

// RevokeSession ends one of the user's own sessions and notifies its connections
// by a personal event.
func (s *Service) RevokeSession(ctx context.Context, userID, sessionID string) error {
	if !ValidID(sessionID) {
		return Errorf(NotFound, "there is no such session")
	}
	return s.store.RevokeSession(ctx, userID, sessionID)
}

// ChangePassword sets a new password and revokes every session of the user except
// the given one. Errors: forbidden for a wrong current password.
func (s *Service) ChangePassword(ctx context.Context, session Session, current, next string) error {
	user, err := s.store.User(ctx, session.UserID)
	if err != nil {
		return err
	}
	if err := s.validPassword(user.Username, next); err != nil {
		return err
	}
	_, verified, err := s.verifyOwn(ctx, user.ID, current)
	if err != nil {
		return err
	}
	hash, err := s.passwords.Hash(ctx, next)
	if err != nil {
		return Wrap(Unavailable, err, "passwords cannot be hashed right now")
	}
	err = s.store.SavePassword(ctx, session.UserID, verified, hash, session.ID, s.notice(PasswordChanged))
	if CodeOf(err) == Conflict { // another change was faster: the password is not the current one any longer
		return wrongPassword()
	}
	return err
}

// verifyOwn is verify for a user who is logged in. Errors: forbidden.
func (s *Service) verifyOwn(ctx context.Context, userID, password string) (user User, hash string, err error) {
	if user, err = s.store.User(ctx, userID); err != nil {
		return User{}, "", err
	}
	user, hash, err = s.verify(ctx, user.Username, password)
	if CodeOf(err) == Unauthenticated {
		err = wrongPassword()
	}
	return user, hash, err
}

func wrongPassword() error { return Errorf(Forbidden, "the current password is wrong") }

func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
