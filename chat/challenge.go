package chat

import (
	"context"
	"strings"
	"time"
)

const (
	challengeTTL = 5 * time.Minute
	// maxFailures is how many wrong codes a challenge survives, and one more ends it.
	maxFailures = 4
)

// SecondStep is how a log-in by password goes on.
type SecondStep struct {
	Challenge string // a token; the store keeps its hash
	Methods   []Method
}

// Challenge is a log-in whose password was right. Password marks which one that was.
type Challenge struct {
	Hash      string
	UserID    string
	Password  string
	Failures  int
	ExpiresAt Time
}

// SecondAnswer is the answer to a challenge: one of the two codes.
type SecondAnswer struct {
	Challenge, TOTP, RecoveryCode, Device string
}

// ChallengeTx is a transaction's view of the challenges of its user. Insertion also
// removes a few of anybody's that have expired.
type ChallengeTx interface {
	Challenge(ctx context.Context, hash string) (Challenge, error)
	InsertChallenge(ctx context.Context, c Challenge) error
	SaveFailures(ctx context.Context, hash string, failures int) error
	DeleteChallenge(ctx context.Context, hash string) error
}

// challenge begins the second step of a log-in.
func challenge(ctx context.Context, tx SignInTx, methods []Method) (*SecondStep, error) {
	token, f := newToken(), tx.Factors()
	err := tx.InsertChallenge(ctx, Challenge{Hash: markOf("challenge", token), UserID: f.User.ID,
		Password: markOf("password", f.PasswordHash), ExpiresAt: tx.Now().Add(challengeTTL)})
	return &SecondStep{Challenge: token, Methods: methods}, err
}

func needsSecondStep(next SecondStep, detail string) error {
	e := Errorf(SecondFactor, "%s", detail)
	e.Next = &next
	return e
}

func lostChallenge() error {
	return Errorf(Unauthenticated, "this log-in took too long, or had too many wrong codes: begin again")
}

// ChallengedUser returns whose log-in a challenge continues. Errors: unauthenticated.
func (s *Service) ChallengedUser(ctx context.Context, challenge string) (User, error) {
	c, err := s.store.Challenge(ctx, markOf("challenge", challenge))
	if CodeOf(err) == NotFound {
		return User{}, lostChallenge()
	}
	if err != nil {
		return User{}, err
	}
	return s.store.User(ctx, c.UserID)
}

// FinishLogIn opens a session by the second step of a log-in. Errors: second_factor for
// a wrong code, while the challenge lives; unauthenticated once it does not.
func (s *Service) FinishLogIn(ctx context.Context, a SecondAnswer) (Login, error) {
	device, err := cleanText("device", a.Device, maxDevice)
	if err != nil {
		return Login{}, err
	}
	user, err := s.ChallengedUser(ctx, a.Challenge)
	if err != nil {
		return Login{}, err
	}
	var l Login
	var refusal error // that of a wrong code, which the transaction counts
	err = s.store.SignIn(ctx, user.ID, func(ctx context.Context, tx SignInTx) (err error) {
		l, refusal = Login{User: user}, nil
		c, err := liveChallenge(ctx, tx, markOf("challenge", a.Challenge))
		if err != nil {
			return err
		}
		method, err := s.checkStep(ctx, tx, a.TOTP, a.RecoveryCode)
		if CodeOf(err) == Forbidden {
			refusal, err = s.countFailure(ctx, tx, c, a.Challenge)
			return err
		}
		if err == nil {
			err = tx.DeleteChallenge(ctx, c.Hash)
		}
		if err == nil {
			l, err = s.openSession(ctx, tx, Session{Method: method, Device: device})
		}
		return err
	})
	if err == nil {
		err = refusal
	}
	return l, err
}

func liveChallenge(ctx context.Context, tx SignInTx, hash string) (Challenge, error) {
	c, err := tx.Challenge(ctx, hash)
	if CodeOf(err) == NotFound {
		return c, lostChallenge()
	}
	if err == nil && (tx.Now() >= c.ExpiresAt || c.Password != markOf("password", tx.Factors().PasswordHash)) {
		err = lostChallenge()
	}
	return c, err
}

// countFailure returns what to answer to a wrong code.
func (s *Service) countFailure(ctx context.Context, tx SignInTx, c Challenge, token string) (refusal, err error) {
	if c.Failures >= maxFailures {
		return lostChallenge(), tx.DeleteChallenge(ctx, c.Hash)
	}
	refusal = needsSecondStep(SecondStep{Challenge: token, Methods: s.SecondSteps(tx.Factors())}, "this code is wrong, or was used before")
	return refusal, tx.SaveFailures(ctx, c.Hash, c.Failures+1)
}

// checkStep uses up one of the two codes, and returns which. Errors: forbidden for a
// wrong one.
func (s *Service) checkStep(ctx context.Context, tx SignInTx, totp, recovery string) (Method, error) {
	if totp != "" {
		return ByTOTP, s.useCode(ctx, tx, totp)
	}
	return ByRecoveryCode, useRecoveryCode(ctx, tx, recovery)
}

// plainCode returns a code without what people write between its characters.
func plainCode(code string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(code))
}
