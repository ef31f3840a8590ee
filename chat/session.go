package chat

import (
	"context"
	"crypto/rand"
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
}

// Login is a new session with its token, which is shown this once: the store
// keeps its SHA-256 only.
type Login struct {
	Token   string
	Session Session
	User    User
}

// SessionTTL is how long a session lives after its last use.
const SessionTTL = 30 * 24 * time.Hour

// sessionTouch is how often the use of a session is written down.
const sessionTouch = time.Minute

// ErrSessionExpired is what Authenticate answers for a session that ran out.
var ErrSessionExpired = Errorf(Unauthenticated, "this session has expired")

const (
	tokenBytes = 32
	maxDevice  = 120
)

// LogIn opens a session. A wrong name and a wrong password give the same
// unauthenticated error, after the same work.
func (s *Service) LogIn(ctx context.Context, username, password, device string) (Login, error) {
	if err := validText("device", device, 0, maxDevice); err != nil {
		return Login{}, err
	}
	if len(password) > maxPassword*utf8.UTFMax {
		password = ""
	}
	user, hash, err := s.verify(ctx, username, password)
	if err != nil {
		return Login{}, err
	}
	raw := make([]byte, tokenBytes)
	rand.Read(raw) // never fails: crypto/rand ends the process instead
	token := base64.RawURLEncoding.EncodeToString(raw)
	session, err := s.store.CreateSession(ctx, Session{ID: s.newID(), UserID: user.ID, Device: device}, hash, hashToken(token), SessionTTL)
	if CodeOf(err) == NotFound { // the password was changed while this one was judged
		return Login{}, wrongCredentials()
	}
	if err != nil {
		return Login{}, err
	}
	return Login{Token: token, Session: session, User: user}, nil
}

func wrongCredentials() error {
	return Errorf(Unauthenticated, "the username or the password is wrong")
}

// verify also gives the hash that the password was right for.
func (s *Service) verify(ctx context.Context, username, password string) (user User, hash string, err error) {
	err = wrongCredentials()
	if validUsername(username) == nil {
		user, hash, err = s.store.Credentials(ctx, username)
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
		return User{}, "", wrongCredentials()
	}
	return user, hash, nil
}

// Authenticate finds the session of a token and extends it. Errors:
// unauthenticated when the token is unknown, revoked or expired.
func (s *Service) Authenticate(ctx context.Context, token string) (Session, error) {
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return Session{}, Errorf(Unauthenticated, "this token is not valid")
	}
	session, now, err := s.store.SessionByToken(ctx, hashToken(token))
	if CodeOf(err) == NotFound {
		return Session{}, Errorf(Unauthenticated, "this token is not valid")
	}
	if err != nil {
		return Session{}, err
	}
	if now >= session.ExpiresAt {
		return Session{}, ErrSessionExpired
	}
	if now < session.LastUsedAt.Add(sessionTouch) {
		return session, nil
	}
	used, err := s.store.TouchSession(ctx, session.ID, SessionTTL)
	switch CodeOf(err) {
	case "":
		return used, nil
	case NotFound: // revoked in this moment
		return Session{}, Errorf(Unauthenticated, "this token is not valid")
	case Unavailable, UnknownOutcome:
		return session, nil // it holds: a database that takes no writes can still be read
	default:
		return Session{}, err
	}
}

// KeepSession extends a session that a live connection uses; not_found when it
// has been revoked or has expired.
func (s *Service) KeepSession(ctx context.Context, sessionID string) (Session, error) {
	return s.store.TouchSession(ctx, sessionID, SessionTTL)
}

// Sessions lists a user's own sessions, the newest use first.
func (s *Service) Sessions(ctx context.Context, userID string, p Page) ([]Session, string, error) {
	return s.store.Sessions(ctx, userID, p)
}

// RevokeSession ends one of the user's own sessions and tells its connections
// by a personal event.
func (s *Service) RevokeSession(ctx context.Context, userID, sessionID string) error {
	if !ValidID(sessionID) {
		return Errorf(NotFound, "there is no such session")
	}
	return s.store.RevokeSession(ctx, userID, sessionID)
}

// ChangePassword sets a new password and revokes every session of the user but
// the one that asked. A wrong current password is forbidden.
func (s *Service) ChangePassword(ctx context.Context, session Session, current, next string) error {
	if err := validPassword(next); err != nil {
		return err
	}
	user, err := s.store.User(ctx, session.UserID)
	if err != nil {
		return err
	}
	if _, _, err := s.verify(ctx, user.Username, current); err != nil {
		if CodeOf(err) == Unauthenticated {
			return Errorf(Forbidden, "the current password is wrong")
		}
		return err
	}
	hash, err := s.passwords.Hash(ctx, next)
	if err != nil {
		return Wrap(Unavailable, err, "passwords cannot be hashed right now")
	}
	return s.store.SavePassword(ctx, session.UserID, hash, session.ID)
}

func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
