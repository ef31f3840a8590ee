package chat

import (
	"context"
	"net/mail"
	"strings"
	"time"
	"unicode"
)

// maxEmail is the longest path of SMTP (RFC 5321).
const maxEmail = 254

// EmailKey is the form by which an address is found: case tells no two mailboxes apart.
func EmailKey(address string) string { return strings.ToLower(address) }

// validEmail accepts a bare address of any script, and nothing that a header could take for
// more than one.
func validEmail(address string) error {
	parsed, err := mail.ParseAddress(address)
	odd := strings.ContainsFunc(address, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' })
	if err != nil || parsed.Address != address || len(address) > maxEmail || odd || strings.HasSuffix(address, "]") {
		return Errorf(BadRequest, "email must be an address such as ann@example.org")
	}
	return nil
}

// EmailChange is an address that a user gives. The address that was verified before stays
// the user's until the new one is.
type EmailChange struct {
	UserID   string
	Password string // the hash that must still be the user's
	Address  string
	Language string  // of letters to it
	Letter   *Letter // nil: there is no mail
}

// ChangeEmail takes an address for the user of a session, and has a letter sent to it. Its
// answer does not depend on whether others have the address. Errors: forbidden for a wrong
// password, rate_limited, conflict where a verified address cannot be replaced for want of
// mail.
func (s *Service) ChangeEmail(ctx context.Context, session Session, address, password, language string) error {
	if err := validEmail(address); err != nil {
		return err
	}
	user, err := s.store.User(ctx, session.UserID)
	if err != nil {
		return err
	}
	_, verified, err := s.verify(ctx, user.Username, password)
	if CodeOf(err) == Unauthenticated {
		return wrongPassword()
	}
	if err != nil {
		return err
	}
	change := EmailChange{UserID: user.ID, Password: verified, Address: address, Language: language}
	if s.mail {
		change.Letter = &Letter{ID: s.newID(), Purpose: ForEmail, Cause: user.ID, UserID: user.ID, Address: address, Language: language}
	}
	err = s.store.SaveEmail(ctx, change)
	if CodeOf(err) == NotFound { // the password was changed while this one was being checked
		return wrongPassword()
	}
	return err
}

// ConfirmEmail makes the address of a code that of the user who gave it: whoever reads the
// mailbox of a mistyped address must not be able to take over an account by it. Letters to the
// address are in this language from then on, and whoever reads the one before is told. Errors:
// not_found, also for another user's code; conflict if the address has become another user's,
// which whoever holds the code can know: they read that mailbox.
func (s *Service) ConfirmEmail(ctx context.Context, userID, code, language string) error {
	hash := codeHash(code)
	if hash == nil {
		return noCode()
	}
	return s.store.ConfirmEmail(ctx, userID, hash, language, s.notice(EmailChanged))
}

// Email returns a user's own address, "" if there is none.
func (s *Service) Email(ctx context.Context, userID string) (address string, verified bool, err error) {
	return s.store.Email(ctx, userID)
}

// LetterFacts is what was sent within the last hour.
type LetterFacts struct {
	ByCause   int // of this purpose, by whoever causes this one
	ToAddress int // of this purpose, to this address
}

// Most letters within LetterWindow.
const (
	LetterWindow    = time.Hour
	lettersByCause  = 5
	lettersToOne    = 3
	invitesByCause  = 30
	resetsOfAccount = 3
)

// admits decides whether a letter may be sent.
func (l Letter) admits(f LetterFacts) bool {
	most := lettersByCause
	switch l.Purpose {
	case ForInvitation:
		most = invitesByCause
	case ForReset:
		most = resetsOfAccount
	}
	return f.ByCause < most && f.ToAddress < lettersToOne
}

// Admit refuses a letter that would be one too many. Errors: rate_limited.
func (l Letter) Admit(f LetterFacts) error {
	if l.admits(f) {
		return nil
	}
	return &Error{Code: RateLimited, RetryAfter: LetterWindow, Limit: "letters", Detail: "too many mails within an hour"}
}
