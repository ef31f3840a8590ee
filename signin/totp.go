package signin

import (
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

const (
	// period and codeSkew: every authenticator knows steps of 30 s, and RFC 6238 advises
	// to accept one step before and after.
	period   = 30
	codeSkew = 1
	// secretBytes is the length of a key of HMAC-SHA-1 (RFC 4226, R6).
	secretBytes = 20
)

// TOTP makes and checks time-based one-time codes: six digits by SHA-1, which is what
// every authenticator understands. It implements chat.OneTimeCodes.
type TOTP struct{ issuer string }

// NewTOTP returns codes that authenticators show under the name of issuer.
func NewTOTP(issuer string) TOTP { return TOTP{issuer} }

// New implements chat.OneTimeCodes.
func (t TOTP) New(username string) (secret, uri string, err error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: t.issuer, AccountName: username, SecretSize: secretBytes})
	if err != nil {
		return "", "", fmt.Errorf("generate key: %w", err)
	}
	return key.Secret(), key.URL(), nil
}

// Match implements chat.OneTimeCodes. It takes as long for every code of six digits.
func (t TOTP) Match(secret, code string, at time.Time, after int64) (step int64, ok bool) {
	now := at.Unix() / period
	for s := now - codeSkew; s <= now+codeSkew; s++ {
		is, err := hotp.ValidateCustom(code, uint64(max(0, s)), secret, //nolint:gosec // it is not negative
			hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && is && s > after && !ok {
			step, ok = s, true
		}
	}
	return step, ok
}
