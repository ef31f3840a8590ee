package chat

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"time"
)

const (
	// maxPasskeys is how many a user may have.
	maxPasskeys    = 20
	maxPasskeyName = 64
	// passkeyPatience is how long a browser and its user may take for an answer.
	passkeyPatience = 5 * time.Minute

	ceremonyStamp = 8 // bytes
	ceremonyBytes = ceremonyStamp + 24
)

// Site is what a passkey is bound to: a name, and the origins of pages that may use it.
type Site struct {
	Name    string
	Origins []string
}

// Passkey is a credential by which a user logs in.
type Passkey struct {
	ID         string `json:"id"`
	UserID     string `json:"-"`
	Name       string `json:"name"`
	Credential string `json:"-"` // its id, as the authenticator knows it
	Data       string `json:"-"` // what Passkeys keeps of it
	Counter    uint32 `json:"-"` // the last that was seen
	CreatedAt  Time   `json:"created_at"`
	LastUsedAt *Time  `json:"last_used_at,omitempty"`
}

// Passkeys makes the questions to authenticators and checks their answers (WebAuthn).
// Both are JSON as browsers have it. Its methods may be called concurrently.
type Passkeys interface {
	// CreationOptions asks for a new passkey of a user who has the known ones.
	CreationOptions(site Site, challenge []byte, u User, known []Passkey) (options []byte, err error)
	// Create returns the Credential, Data and Counter of the passkey in an answer.
	Create(site Site, challenge []byte, u User, answer []byte) (Passkey, error)
	// RequestOptions asks whoever is there for any passkey of theirs.
	RequestOptions(site Site, challenge []byte) (options []byte, err error)
	// Claimed returns of which user and credential an answer claims to be.
	Claimed(answer []byte) (userID, credential string, err error)
	// Verify returns the counter and new data of the passkey that signed an answer.
	Verify(site Site, challenge []byte, p Passkey, answer []byte) (counter uint32, data string, err error)
}

// PasskeyTx is a transaction's view of the passkeys of its user.
type PasskeyTx interface {
	Passkeys(ctx context.Context) ([]Passkey, error) // by id
	// InsertPasskey returns conflict if anybody has the credential.
	InsertPasskey(ctx context.Context, p Passkey) error
	// SavePasskey writes what a use changes: Data, Counter and LastUsedAt.
	SavePasskey(ctx context.Context, p Passkey) error
	DeletePasskey(ctx context.Context, id string) error
	// Spend marks something as used: conflict if it is.
	Spend(ctx context.Context, mark string, until Time) error
}

// Ceremony is a question to an authenticator, and the challenge that its answer brings.
type Ceremony struct {
	Options   []byte
	Challenge string
}

// newCeremony returns a challenge that this service knows again: for what, for whom (""
// for whoever answers) and until when it was made is part of it, so that nothing needs to
// be stored before the answer is good.
func (s *Service) newCeremony(use, userID string, site Site) (raw []byte, challenge string) {
	raw = binary.BigEndian.AppendUint64(nil, uint64(time.Now().Add(passkeyPatience).Unix()))
	random := make([]byte, ceremonyBytes-ceremonyStamp)
	rand.Read(random) // never fails: crypto/rand ends the process instead
	raw = append(raw, random...)
	raw = append(raw, s.fingerprint("passkey", use, userID, site.Name, string(raw))...)
	return raw, base64.RawURLEncoding.EncodeToString(raw)
}

// ceremony returns the bytes of a challenge, and the mark by which it is spent.
func (s *Service) ceremony(use, userID string, site Site, challenge string) (raw []byte, mark string, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(challenge)
	if err != nil || len(raw) <= ceremonyBytes {
		return nil, "", false
	}
	until := time.Unix(int64(binary.BigEndian.Uint64(raw[:ceremonyStamp])), 0) //nolint:gosec // the fingerprint shows whether it is ours
	ours := hmac.Equal(raw[ceremonyBytes:], s.fingerprint("passkey", use, userID, site.Name, string(raw[:ceremonyBytes])))
	return raw, markOf("passkey", challenge), ours && time.Now().Before(until)
}

const newPasskey, usePasskey = "new", "use"

func noPasskeys(site Site, p Passkeys) error {
	if p == nil || site.Name == "" {
		return Errorf(NotFound, "passkeys are not in use here: they need a server with a name, reached by it")
	}
	return nil
}

// BeginPasskey asks a user's browser for a new passkey. Errors: not_found where there are
// none, conflict when the user has too many.
func (s *Service) BeginPasskey(ctx context.Context, userID string, site Site) (Ceremony, error) {
	if err := noPasskeys(site, s.signIn.Passkeys); err != nil {
		return Ceremony{}, err
	}
	u, err := s.store.User(ctx, userID)
	if err != nil {
		return Ceremony{}, err
	}
	known, _, err := s.store.Passkeys(ctx, userID, Page{Limit: maxPasskeys + 1})
	if err == nil && len(known) >= maxPasskeys {
		err = tooManyPasskeys()
	}
	if err != nil {
		return Ceremony{}, err
	}
	raw, challenge := s.newCeremony(newPasskey, userID, site)
	options, err := s.signIn.Passkeys.CreationOptions(site, raw, u, known)
	return Ceremony{Options: options, Challenge: challenge}, err
}

func tooManyPasskeys() error {
	return Errorf(Conflict, "you have %d passkeys: delete one that you no longer use", maxPasskeys)
}

// AddPasskey stores the passkey in a browser's answer. Errors: bad_request for an answer
// that is not good, conflict for a passkey that somebody has.
func (s *Service) AddPasskey(ctx context.Context, userID string, site Site, name, challenge string, answer []byte) (p Passkey, err error) {
	if err := noPasskeys(site, s.signIn.Passkeys); err != nil {
		return Passkey{}, err
	}
	if name, err = cleanName("name", name, 1, maxPasskeyName); err != nil {
		return Passkey{}, err
	}
	u, err := s.store.User(ctx, userID)
	if err != nil {
		return Passkey{}, err
	}
	raw, mark, ok := s.ceremony(newPasskey, userID, site, challenge)
	if !ok {
		return Passkey{}, Errorf(BadRequest, "challenge: this took too long, or is not yours: begin again")
	}
	made, err := s.signIn.Passkeys.Create(site, raw, u, answer)
	if err != nil {
		return Passkey{}, Wrap(BadRequest, err, "credential: this is not a passkey for this server")
	}
	err = s.store.SignIn(ctx, userID, func(ctx context.Context, tx SignInTx) error {
		p = made
		p.ID, p.UserID, p.Name, p.CreatedAt = s.newID(), userID, name, tx.Now()
		if tx.Factors().Passkeys >= maxPasskeys {
			return tooManyPasskeys()
		}
		if err := tx.Spend(ctx, mark, tx.Now().Add(passkeyPatience)); err != nil {
			return err
		}
		return tx.InsertPasskey(ctx, p)
	})
	return p, err
}

// Passkeys lists a user's own passkeys, oldest first.
func (s *Service) Passkeys(ctx context.Context, userID string, p Page) ([]Passkey, string, error) {
	return s.store.Passkeys(ctx, userID, p)
}

// DeletePasskey ends one of a user's own passkeys. Errors: not_found; conflict for the
// last second factor of an account that must have one.
func (s *Service) DeletePasskey(ctx context.Context, userID, id string) error {
	return s.store.SignIn(ctx, userID, func(ctx context.Context, tx SignInTx) error {
		if err := tx.DeletePasskey(ctx, id); err != nil {
			return err
		}
		if f := tx.Factors(); s.requires(f) && f.Passkeys == 1 && !f.TOTP {
			return mustKeepFactor()
		}
		return nil
	})
}

// BeginPasskeyLogIn asks whoever is at a browser for a passkey of this server.
func (s *Service) BeginPasskeyLogIn(site Site) (Ceremony, error) {
	if err := noPasskeys(site, s.signIn.Passkeys); err != nil {
		return Ceremony{}, err
	}
	raw, challenge := s.newCeremony(usePasskey, "", site)
	options, err := s.signIn.Passkeys.RequestOptions(site, raw)
	return Ceremony{Options: options, Challenge: challenge}, err
}

// LogInByPasskey opens a session for the user of the passkey that signed an answer.
// Whatever is wrong with it is the same unauthenticated error; with the error comes, for
// logs alone, the user whose passkey it claims to be of.
func (s *Service) LogInByPasskey(ctx context.Context, site Site, challenge string, answer []byte, device string) (l Login, err error) {
	if err := noPasskeys(site, s.signIn.Passkeys); err != nil {
		return Login{}, err
	}
	if device, err = cleanText("device", device, maxDevice); err != nil {
		return Login{}, err
	}
	raw, mark, ok := s.ceremony(usePasskey, "", site, challenge)
	if !ok {
		return Login{}, badPasskey(nil)
	}
	userID, credential, err := s.signIn.Passkeys.Claimed(answer)
	if err != nil {
		return Login{}, badPasskey(err)
	}
	p, err := s.store.PasskeyOf(ctx, credential)
	if CodeOf(err) == NotFound || err == nil && p.UserID != userID {
		return Login{}, badPasskey(err)
	}
	if err != nil {
		return Login{}, err
	}
	l.User.ID = p.UserID
	if p.Counter, p.Data, err = s.signIn.Passkeys.Verify(site, raw, p, answer); err != nil {
		return l, badPasskey(err)
	}
	err = s.store.SignIn(ctx, p.UserID, func(ctx context.Context, tx SignInTx) (err error) {
		l, err = s.usePasskey(ctx, tx, p, mark, device)
		return err
	})
	return l, err
}

func badPasskey(cause error) error {
	return Wrap(Unauthenticated, cause, "this passkey is not known here, or its answer is not good: try again")
}

// usePasskey opens a session by a passkey whose signature was good. A counter that has not
// grown tells of a copy of the authenticator; those that do not count say 0.
func (s *Service) usePasskey(ctx context.Context, tx SignInTx, used Passkey, mark, device string) (Login, error) {
	l := Login{User: tx.Factors().User}
	known, err := tx.Passkeys(ctx)
	if err != nil {
		return l, err
	}
	for _, p := range known {
		if p.ID != used.ID {
			continue
		}
		if used.Counter <= p.Counter && (used.Counter != 0 || p.Counter != 0) {
			return l, badPasskey(Errorf(Conflict, "the counter is %d after %d", used.Counter, p.Counter))
		}
		if err := tx.Spend(ctx, mark, tx.Now().Add(passkeyPatience)); err != nil {
			return l, badPasskey(err)
		}
		now := tx.Now()
		used.LastUsedAt = &now
		if err := tx.SavePasskey(ctx, used); err != nil {
			return l, err
		}
		return s.openSession(ctx, tx, Session{Method: ByPasskey, Device: device})
	}
	return l, badPasskey(nil) // deleted meanwhile
}
