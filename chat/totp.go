package chat

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"
)

const (
	recoveryCodes = 10
	// pendingFor is how long a secret waits for its first code.
	pendingFor = time.Hour
	// maxCode is more than any code has with what people write between its characters.
	maxCode = 100
	// useTOTP names the use of the key that seals secrets.
	useTOTP = "totp"
)

// OneTimeCodes makes and checks time-based codes (RFC 6238). Its methods may be called
// concurrently.
type OneTimeCodes interface {
	// New returns a fresh secret, and the address by which an authenticator takes it.
	New(username string) (secret, uri string, err error)
	// Match finds the time step after the given one of which this is the code, near at.
	Match(secret, code string, at time.Time, after int64) (step int64, ok bool)
}

// TOTP is what a user's codes are made of. Both secrets are sealed; "" is none.
type TOTP struct {
	Secret    string
	LastStep  int64 // of the last code that was accepted
	Pending   string
	PendingAt Time
}

// TOTPTx is a transaction's view of the codes of its user.
type TOTPTx interface {
	TOTP(ctx context.Context) (TOTP, error) // the zero value if there is none
	SaveTOTP(ctx context.Context, t TOTP) error
	// DeleteTOTP also deletes the recovery codes.
	DeleteTOTP(ctx context.Context) error
	RecoveryCodes(ctx context.Context) (hashes []string, err error)
	ReplaceRecoveryCodes(ctx context.Context, hashes []string) error
	DeleteRecoveryCode(ctx context.Context, hash string) error
}

// BeginTOTP makes a secret that counts from ConfirmTOTP on. Where codes are in force, one
// of them has to prove that whoever replaces them has them. Errors: forbidden for a wrong
// password or code.
func (s *Service) BeginTOTP(ctx context.Context, userID, password, code string) (secret, uri string, err error) {
	if s.signIn.Codes == nil {
		return "", "", Errorf(NotFound, "one-time codes are not in use here")
	}
	user, hash, err := s.verifyOwn(ctx, userID, password)
	if err != nil {
		return "", "", err
	}
	if secret, uri, err = s.signIn.Codes.New(user.Username); err != nil {
		return "", "", fmt.Errorf("make a secret: %w", err)
	}
	err = s.store.SignIn(ctx, userID, func(ctx context.Context, tx SignInTx) error {
		if tx.Factors().PasswordHash != hash {
			return wrongPassword()
		}
		if tx.Factors().TOTP {
			if err := s.useEither(ctx, tx, code); err != nil {
				return err
			}
		}
		t, err := tx.TOTP(ctx)
		if err != nil {
			return err
		}
		t.Pending, t.PendingAt = s.Seal(useTOTP, userID, []byte(secret)), tx.Now()
		return tx.SaveTOTP(ctx, t)
	})
	if err != nil {
		return "", "", err
	}
	return secret, uri, nil
}

// ConfirmTOTP puts the secret in force by its first code, and returns new recovery codes:
// the only time that they are shown. Errors: conflict if there is nothing to confirm,
// forbidden for a wrong code.
func (s *Service) ConfirmTOTP(ctx context.Context, userID, code string) (codes []string, err error) {
	err = s.store.SignIn(ctx, userID, func(ctx context.Context, tx SignInTx) error {
		t, err := tx.TOTP(ctx)
		if err != nil {
			return err
		}
		if t.Pending == "" || tx.Now() >= t.PendingAt.Add(pendingFor) {
			return Errorf(Conflict, "there is no new secret to confirm: begin again")
		}
		step, err := s.match(t.Pending, userID, code, tx.Now(), 0)
		if err != nil {
			return err
		}
		if err := tx.SaveTOTP(ctx, TOTP{Secret: t.Pending, LastStep: step}); err != nil {
			return err
		}
		var hashes []string
		codes, hashes = newRecoveryCodes()
		return tx.ReplaceRecoveryCodes(ctx, hashes)
	})
	return codes, err
}

// RemoveTOTP ends the codes by fresh proof: the password, and a code of either kind.
// Errors: forbidden, conflict if there are none or the account must have them.
func (s *Service) RemoveTOTP(ctx context.Context, userID, password, code string) error {
	_, hash, err := s.verifyOwn(ctx, userID, password)
	if err != nil {
		return err
	}
	return s.store.SignIn(ctx, userID, func(ctx context.Context, tx SignInTx) error {
		f := tx.Factors()
		switch {
		case f.PasswordHash != hash:
			return wrongPassword()
		case !f.TOTP:
			return Errorf(Conflict, "there is no second factor to remove")
		case s.requires(f) && f.Passkeys == 0:
			return mustKeepFactor()
		}
		if err := s.useEither(ctx, tx, code); err != nil {
			return err
		}
		return tx.DeleteTOTP(ctx)
	})
}

func mustKeepFactor() error {
	return Errorf(Conflict, "this account must have a second factor: set up another one first")
}

func wrongCode() error { return Errorf(Forbidden, "this code is wrong, or was used before") }

// useCode uses up a code that is in force. Errors: forbidden.
func (s *Service) useCode(ctx context.Context, tx SignInTx, code string) error {
	t, err := tx.TOTP(ctx)
	if err != nil {
		return err
	}
	if t.Secret == "" {
		return wrongCode()
	}
	if t.LastStep, err = s.match(t.Secret, tx.Factors().User.ID, code, tx.Now(), t.LastStep); err != nil {
		return err
	}
	return tx.SaveTOTP(ctx, t)
}

// useEither is useCode for where people may give a recovery code instead.
func (s *Service) useEither(ctx context.Context, tx SignInTx, code string) error {
	err := s.useCode(ctx, tx, code)
	if CodeOf(err) == Forbidden {
		err = useRecoveryCode(ctx, tx, code)
	}
	return err
}

func (s *Service) match(sealed, userID, code string, now Time, after int64) (int64, error) {
	secret, err := s.Unseal(useTOTP, userID, sealed)
	if err != nil {
		return 0, fmt.Errorf("read the secret of a second factor: %w", err)
	}
	if len(code) > maxCode {
		return 0, wrongCode()
	}
	step, ok := s.signIn.Codes.Match(string(secret), plainCode(code), now.Time(), after)
	if !ok {
		return 0, wrongCode()
	}
	return step, nil
}

// useRecoveryCode uses up a recovery code. Errors: forbidden.
func useRecoveryCode(ctx context.Context, tx SignInTx, code string) error {
	if len(code) > maxCode {
		return wrongCode()
	}
	hashes, err := tx.RecoveryCodes(ctx)
	if err != nil {
		return err
	}
	got := []byte(recoveryMark(code))
	for _, hash := range hashes {
		if subtle.ConstantTimeCompare([]byte(hash), got) == 1 {
			return tx.DeleteRecoveryCode(ctx, hash)
		}
	}
	return wrongCode()
}

// newRecoveryCodes returns codes of 130 bits, in groups that people can copy by hand,
// and what is stored of them.
func newRecoveryCodes() (codes, hashes []string) {
	for range recoveryCodes {
		text := strings.ToLower(rand.Text()) // 26 characters
		code := text[:6] + "-" + text[6:12] + "-" + text[12:19] + "-" + text[19:]
		codes, hashes = append(codes, code), append(hashes, recoveryMark(code))
	}
	return codes, hashes
}

func recoveryMark(code string) string { return markOf("recovery code", plainCode(code)) }

// RemoveFactors takes everything but the password from a user who has lost it: codes,
// recovery codes, passkeys; for the operator and administrators. Their sessions end.
func (s *Service) RemoveFactors(ctx context.Context, actor Actor, userID string) (Account, error) {
	return s.changeAccount(ctx, actor, userID, func(ctx context.Context, tx AdminTx, a *Account) (audit, error) {
		if err := tx.DeleteFactors(ctx, a.ID); err != nil {
			return audit{}, err
		}
		n, err := tx.RevokeSessions(ctx, a.ID)
		return audit{AuditFactorsRemoved, fmt.Sprintf("%d sessions revoked", n)}, err
	})
}
