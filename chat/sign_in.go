package chat

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"
)

// SignIn is how people may prove who they are, as the settings say. The zero value is
// passwords alone.
type SignIn struct {
	Codes    OneTimeCodes // nil: there are none
	Passkeys Passkeys     // nil: there are none
	Require  Requirement
	// Providers are those who may vouch for people, by their ids in the settings.
	Providers map[string]ProviderRules
	// PasswordsOff refuses log-in by password and sign-up with one.
	PasswordsOff bool
}

// Requirement says who must have a second factor.
type Requirement string

// The requirements; "" is RequireNobody.
const (
	RequireNobody         Requirement = "nobody"
	RequireAdministrators Requirement = "administrators"
	RequireEveryone       Requirement = "everyone"
)

// WithSignIn returns a copy of the service by whose rules people sign in.
func (s *Service) WithSignIn(rules SignIn) *Service {
	other := *s
	other.signIn = rules
	return &other
}

// Method is how a session was opened.
type Method string

// The methods. The first three of them and a second step's are the words of the wire.
const (
	ByTOTP         Method = "totp"
	ByRecoveryCode Method = "recovery_code"
	ByPasskey      Method = "passkey"
	ByPassword     Method = "password"
	ByProvider     Method = "provider"
)

// Factors is what a log-in must know of an account.
type Factors struct {
	User          User
	PasswordHash  string // "": the account has no password
	Administrator bool
	Suspended     bool
	TOTP          bool // in force
	RecoveryCodes int  // that have not been used
	Passkeys      int
}

// TakesPasswords reports whether people log in and sign up with passwords.
func (s *Service) TakesPasswords() bool { return !s.signIn.PasswordsOff }

// SecondSteps are the methods of which a log-in by password needs one more, none if the
// password is enough. Passkeys are no reason to ask for them, unless the account must have
// a second factor: who loses the only device would be locked out.
func (s *Service) SecondSteps(f Factors) []Method {
	var methods []Method
	if f.TOTP {
		methods = append(methods, ByTOTP)
	}
	if f.TOTP && f.RecoveryCodes > 0 {
		methods = append(methods, ByRecoveryCode)
	}
	if f.Passkeys > 0 && (f.TOTP || s.requires(f)) {
		methods = append(methods, ByPasskey)
	}
	return methods
}

// requires reports whether the account must have a second factor.
func (s *Service) requires(f Factors) bool {
	return s.signIn.Require == RequireEveryone || s.signIn.Require == RequireAdministrators && f.Administrator
}

// restricted reports whether the user of a session may do nothing but set up a second
// factor. A passkey is two factors in one, and a provider asks for its own.
func (s *Service) restricted(ctx context.Context, session Session) (bool, error) {
	if s.signIn.Require == "" || s.signIn.Require == RequireNobody || session.Method == ByPasskey || session.Method == ByProvider {
		return false, nil
	}
	f, err := s.store.Factors(ctx, session.UserID)
	return s.requires(f) && !f.TOTP && f.Passkeys == 0, err
}

// Factors returns what a log-in must know of a user's own account.
func (s *Service) Factors(ctx context.Context, userID string) (Factors, error) {
	return s.store.Factors(ctx, userID)
}

// LogIn opens a session. A wrong name and a wrong password return the same
// unauthenticated error after the same amount of work. An account with a second factor
// returns second_factor with what FinishLogIn continues. With an error comes, for logs
// alone, the user of that name.
func (s *Service) LogIn(ctx context.Context, username, password, device string) (Login, error) {
	if !s.TakesPasswords() {
		return Login{}, passwordsOff()
	}
	device, err := cleanText("device", device, maxDevice)
	if err != nil {
		return Login{}, err
	}
	user, hash, err := s.verify(ctx, username, password)
	if err != nil {
		return Login{User: user}, err
	}
	var l Login
	var next *SecondStep
	err = s.store.SignIn(ctx, user.ID, func(ctx context.Context, tx SignInTx) (err error) {
		next = nil
		if tx.Factors().PasswordHash != hash { // changed while this one was being checked
			return wrongCredentials()
		}
		if tx.Factors().Suspended {
			return suspended()
		}
		if methods := s.SecondSteps(tx.Factors()); len(methods) > 0 {
			next, err = challenge(ctx, tx, methods)
			return err
		}
		l, err = s.openSession(ctx, tx, Session{Method: ByPassword, Device: device})
		return err
	})
	if err == nil && next != nil {
		err = needsSecondStep(*next, "log in with a second factor")
	}
	if err != nil {
		return Login{User: user}, err
	}
	return l, nil
}

func passwordsOff() error {
	return Errorf(Forbidden, "passwords are not in use here: log in another way")
}

func suspended() error { return Errorf(Forbidden, "this account is suspended") }

// openSession opens a session of the transaction's user.
func (s *Service) openSession(ctx context.Context, tx SignInTx, session Session) (Login, error) {
	f := tx.Factors()
	if f.Suspended {
		return Login{User: f.User}, suspended()
	}
	token := newToken()
	session.ID, session.UserID = s.newID(), f.User.ID
	session.CreatedAt, session.LastUsedAt, session.ExpiresAt = tx.Now(), tx.Now(), tx.Now().Add(SessionTTL)
	err := tx.InsertSession(ctx, session, hashToken(token))
	return Login{Token: token, Session: session, User: f.User}, err
}

// newToken returns 256 random bits.
func newToken() string {
	raw := make([]byte, tokenBytes)
	rand.Read(raw) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(raw)
}

// markOf returns a hash that names a secret without holding it.
func markOf(kind, secret string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + secret))
	return hex.EncodeToString(sum[:])
}

// SignInStore keeps what people prove who they are with.
type SignInStore interface {
	Factors(ctx context.Context, userID string) (Factors, error)
	// SignIn runs fn in one transaction with the user's row locked: no other one changes
	// what the user can sign in with, suspends them or opens a session of theirs. fn may run
	// more than once. Errors: not_found.
	SignIn(ctx context.Context, userID string, fn func(context.Context, SignInTx) error) error
	// Challenge returns not_found for one that does not exist.
	Challenge(ctx context.Context, hash string) (Challenge, error)
	Passkeys(ctx context.Context, userID string, p Page) (passkeys []Passkey, next string, err error) // by id
	PasskeyOf(ctx context.Context, credential string) (Passkey, error)
	// Spend marks something as used until a time after which it would not count anyway:
	// conflict if it is.
	Spend(ctx context.Context, mark string, lasts time.Duration) error
	// Spent reports whether a mark is used.
	Spent(ctx context.Context, mark string) (bool, error)
}

// SignInTx is one transaction of SignIn on its user. It is for the goroutine that runs
// fn, until fn returns.
type SignInTx interface {
	Now() Time // the database's clock after the lock
	Factors() Factors
	InsertSession(ctx context.Context, s Session, tokenHash []byte) error
	ChallengeTx
	TOTPTx
	PasskeyTx
}
