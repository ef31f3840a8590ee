package persistencetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/chat"
)

// createSession opens a session of a user whose password still has the given hash, as a
// log-in does.
func (f *fixture) createSession(v chat.Session, passwordHash string, tokenHash []byte, ttl time.Duration) (chat.Session, error) {
	v.Method = chat.ByPassword
	err := f.store.SignIn(f.t.Context(), v.UserID, func(ctx context.Context, tx chat.SignInTx) error {
		if tx.Factors().PasswordHash != passwordHash {
			return chat.Errorf(chat.NotFound, "the password has changed")
		}
		v.CreatedAt, v.LastUsedAt, v.ExpiresAt = tx.Now(), tx.Now(), tx.Now().Add(ttl)
		return tx.InsertSession(ctx, v, tokenHash)
	})
	return v, err
}

// wordCodes are one-time codes that can be read: "N" is that of the Nth step.
type wordCodes struct{}

func (wordCodes) New(username string) (secret, uri string, err error) {
	return "secret of " + username, "otpauth://" + username, nil
}

func (wordCodes) Match(secret, code string, _ time.Time, after int64) (step int64, ok bool) {
	if _, err := fmt.Sscanf(code, "%d", &step); err != nil || !strings.HasPrefix(secret, "secret of ") {
		return 0, false
	}
	return step, step > after
}

// withCodes returns the use cases of a deployment that has one-time codes.
func (f *fixture) withCodes(require chat.Requirement) *chat.Service {
	return f.svc.WithSignIn(chat.SignIn{Codes: wordCodes{}, Require: require})
}

const aPassword = "a good password"

// setUpCodes gives a user codes, of which that of step 1 has been used.
func (f *fixture) setUpCodes(svc *chat.Service, u chat.User) []string {
	f.t.Helper()
	_, _, err := svc.BeginTOTP(f.t.Context(), u.ID, aPassword, "")
	must(f.t, err)
	codes, err := svc.ConfirmTOTP(f.t.Context(), u.ID, "1")
	must(f.t, err)
	return codes
}

// begin logs in by password, and returns the challenge.
func begin(t testing.TB, svc *chat.Service, name string) string {
	t.Helper()
	_, err := svc.LogIn(t.Context(), name, aPassword, "")
	refused(t, err, chat.SecondFactor)
	return next(err).Challenge
}

func next(err error) chat.SecondStep {
	if e, ok := err.(*chat.Error); ok && e.Next != nil { //nolint:errorlint // the use cases return it unwrapped
		return *e.Next
	}
	return chat.SecondStep{}
}

func testTOTP(t *testing.T, f *fixture) {
	ctx, svc, ann := t.Context(), f.withCodes(""), f.user("ann")
	_, err := svc.ConfirmTOTP(ctx, ann.ID, "1")
	refused(t, err, chat.Conflict)
	_, _, err = svc.BeginTOTP(ctx, ann.ID, "a wrong password", "")
	refused(t, err, chat.Forbidden)
	secret, uri, err := svc.BeginTOTP(ctx, ann.ID, aPassword, "")
	must(t, err)
	equal(t, "secret and address", secret+" "+uri, "secret of ann otpauth://ann")
	_, err = svc.LogIn(ctx, "ann", aPassword, "") // not in force yet
	must(t, err)
	_, err = svc.ConfirmTOTP(ctx, ann.ID, "wrong")
	refused(t, err, chat.Forbidden)
	codes, err := svc.ConfirmTOTP(ctx, ann.ID, "7")
	must(t, err)
	equal(t, "recovery codes", len(codes), 10)
	_, err = svc.ConfirmTOTP(ctx, ann.ID, "8") // nothing is left to confirm
	refused(t, err, chat.Conflict)
	_, err = svc.LogIn(ctx, "ann", aPassword, "")
	refused(t, err, chat.SecondFactor)
	equalSlices(t, "methods", next(err).Methods, []chat.Method{chat.ByTOTP, chat.ByRecoveryCode})
	testReplacedTOTP(t, f, svc, ann)
	refused(t, svc.RemoveTOTP(ctx, ann.ID, aPassword, "9"), chat.Forbidden) // used
	refused(t, svc.RemoveTOTP(ctx, ann.ID, "a wrong password", "30"), chat.Forbidden)
	must(t, svc.RemoveTOTP(ctx, ann.ID, aPassword, "30"))
	refused(t, svc.RemoveTOTP(ctx, ann.ID, aPassword, "31"), chat.Conflict)
	_, err = svc.LogIn(ctx, "ann", aPassword, "")
	must(t, err)
	factors, err := svc.Factors(ctx, ann.ID)
	must(t, err)
	equal(t, "recovery codes left", factors.RecoveryCodes, 0)
}

// testReplacedTOTP: whoever replaces codes proves that they have them; until the new ones
// are confirmed those of before count.
func testReplacedTOTP(t *testing.T, f *fixture, svc *chat.Service, ann chat.User) {
	t.Helper()
	ctx := t.Context()
	for _, code := range []string{"", "7", "nonsense"} {
		_, _, err := svc.BeginTOTP(ctx, ann.ID, aPassword, code)
		refused(t, err, chat.Forbidden)
	}
	_, _, err := svc.BeginTOTP(ctx, ann.ID, aPassword, "8")
	must(t, err)
	_, err = svc.FinishLogIn(ctx, chat.SecondAnswer{Challenge: begin(t, svc, "ann"), TOTP: "9"})
	must(t, err)
	codes, err := svc.ConfirmTOTP(ctx, ann.ID, "9") // of the new secret
	must(t, err)
	equal(t, "new recovery codes", len(codes), 10)
	var sealed string
	must(t, f.store.SignIn(ctx, ann.ID, func(ctx context.Context, tx chat.SignInTx) error {
		v, err := tx.TOTP(ctx)
		sealed = v.Secret
		return err
	}))
	if sealed == "" || strings.Contains(sealed, "secret of ann") {
		t.Errorf("the stored secret is %q", sealed)
	}
	_, err = svc.Unseal("totp", f.user("bob").ID, sealed)
	if err == nil {
		t.Error("a secret opens for another user")
	}
}

func testSecondStep(t *testing.T, f *fixture) {
	ctx, svc, ann := t.Context(), f.withCodes(""), f.user("ann")
	codes := f.setUpCodes(svc, ann)
	answer := func(challenge, totp, recovery string) error {
		_, err := svc.FinishLogIn(ctx, chat.SecondAnswer{Challenge: challenge, TOTP: totp, RecoveryCode: recovery})
		return err
	}
	refused(t, answer("no challenge", "2", ""), chat.Unauthenticated)
	challenge := begin(t, svc, "ann")
	refused(t, answer(challenge, "1", ""), chat.SecondFactor) // used when it was set up
	refused(t, answer(challenge, "", codes[0]+"x"), chat.SecondFactor)
	refused(t, answer(challenge, "", ""), chat.SecondFactor)
	l, err := svc.FinishLogIn(ctx, chat.SecondAnswer{Challenge: challenge, TOTP: "2", Device: "laptop"})
	must(t, err)
	s, err := svc.Authenticate(ctx, l.Token)
	must(t, err)
	equal(t, "session", s.UserID+" "+s.Device+" "+string(s.Method), ann.ID+" laptop totp")
	refused(t, answer(challenge, "3", ""), chat.Unauthenticated) // it has been answered

	challenge = begin(t, svc, "ann")
	refused(t, answer(challenge, "2", ""), chat.SecondFactor)
	must(t, answer(challenge, "", strings.ToUpper(strings.ReplaceAll(codes[3], "-", " "))))
	refused(t, answer(begin(t, svc, "ann"), "", codes[3]), chat.SecondFactor)
	must(t, answer(begin(t, svc, "ann"), "3", ""))

	challenge = begin(t, svc, "ann")
	for i := range 4 {
		err := answer(challenge, "no", "")
		refused(t, err, chat.SecondFactor)
		equal(t, fmt.Sprint("challenge after failure ", i+1), next(err).Challenge, challenge)
	}
	refused(t, answer(challenge, "no", ""), chat.Unauthenticated)
	refused(t, answer(challenge, "4", ""), chat.Unauthenticated)

	challenge = begin(t, svc, "ann")
	must(t, f.store.SavePassword(ctx, ann.ID, aPassword, "another password", "", nil))
	refused(t, answer(challenge, "5", ""), chat.Unauthenticated)
	must(t, f.store.SavePassword(ctx, ann.ID, "another password", aPassword, "", nil))
	challenge = begin(t, svc, "ann")
	_, err = svc.Suspend(ctx, chat.ByOperator(), f.user("bob").ID)
	must(t, err)
	_, err = svc.Appoint(ctx, chat.ByOperator(), f.user("cid").ID)
	must(t, err)
	_, err = svc.Suspend(ctx, chat.ByOperator(), ann.ID)
	must(t, err)
	refused(t, answer(challenge, "6", ""), chat.Forbidden)
}

// testChallengeEnds: a challenge dies with its time, and its row goes.
func testChallengeEnds(t *testing.T, f *fixture) {
	ctx, svc, ann := t.Context(), f.withCodes(""), f.user("ann")
	f.setUpCodes(svc, ann)
	challenge := begin(t, svc, "ann")
	must(t, f.store.SignIn(ctx, ann.ID, func(ctx context.Context, tx chat.SignInTx) error {
		return tx.InsertChallenge(ctx, chat.Challenge{Hash: "old", UserID: ann.ID, ExpiresAt: tx.Now() - 1})
	}))
	_, err := f.store.Challenge(ctx, "old")
	must(t, err)
	begin(t, svc, "ann")
	_, err = f.store.Challenge(ctx, "old")
	refused(t, err, chat.NotFound)
	_, err = svc.FinishLogIn(ctx, chat.SecondAnswer{Challenge: challenge, TOTP: "2"})
	must(t, err)
}

// testCodeRace: of many who answer with one code at once, one gets in.
func testCodeRace(t *testing.T, f *fixture) {
	svc, ann := f.withCodes(""), f.user("ann")
	codes := f.setUpCodes(svc, ann)
	for name, a := range map[string]chat.SecondAnswer{"totp": {TOTP: "5"}, "recovery": {RecoveryCode: codes[0]}} {
		var in atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			a := a
			a.Challenge = begin(t, svc, "ann")
			wg.Go(func() {
				if _, err := svc.FinishLogIn(t.Context(), a); err == nil {
					in.Add(1)
				} else {
					refused(t, err, chat.SecondFactor)
				}
			})
		}
		wg.Wait()
		equal(t, name, in.Load(), 1)
	}
}

func testRequiredFactor(t *testing.T, f *fixture) {
	ctx, ann, bob := t.Context(), f.user("ann"), f.user("bob") // ann is the administrator
	for _, c := range []struct {
		require  chat.Requirement
		ann, bob bool
	}{{"", false, false}, {chat.RequireNobody, false, false}, {chat.RequireAdministrators, true, false}, {chat.RequireEveryone, true, true}} {
		svc := f.withCodes(c.require)
		for name, want := range map[string]bool{"ann": c.ann, "bob": c.bob} {
			l, err := svc.LogIn(ctx, name, aPassword, "")
			must(t, err)
			s, err := svc.Authenticate(ctx, l.Token)
			must(t, err)
			equal(t, fmt.Sprintf("%s by %q restricted", name, c.require), s.Restricted, want)
		}
	}
	svc := f.withCodes(chat.RequireEveryone)
	l, err := svc.LogIn(ctx, "bob", aPassword, "")
	must(t, err)
	f.setUpCodes(svc, bob)
	s, err := svc.Authenticate(ctx, l.Token)
	must(t, err)
	equal(t, "restricted with codes", s.Restricted, false)
	refused(t, svc.RemoveTOTP(ctx, bob.ID, aPassword, "2"), chat.Conflict)
	a, err := svc.RemoveFactors(ctx, chat.ByOperator(), bob.ID)
	must(t, err)
	equal(t, "whose", a.ID, bob.ID)
	_, err = svc.Authenticate(ctx, l.Token)
	refused(t, err, chat.Unauthenticated)
	_, err = svc.LogIn(ctx, "bob", aPassword, "")
	must(t, err)
	entries, _, err := svc.Audit(ctx, chat.ByOperator(), chat.Page{Limit: 1})
	must(t, err)
	equal(t, "audited", entries[0].Action, chat.AuditFactorsRemoved)
	_, err = svc.RemoveFactors(ctx, chat.ByUser(bob.ID), ann.ID)
	refused(t, err, chat.Forbidden)
}

func testSpent(t *testing.T, f *fixture) {
	ctx := t.Context()
	must(t, f.store.Spend(ctx, "a", time.Hour))
	refused(t, f.store.Spend(ctx, "a", time.Hour), chat.Conflict)
	must(t, f.store.Spend(ctx, "b", -time.Hour))
	must(t, f.store.Spend(ctx, "b", time.Hour)) // what has expired is gone
	refused(t, f.store.Spend(ctx, "b", time.Hour), chat.Conflict)
	var first atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := f.store.Spend(ctx, "c", time.Hour); err == nil {
				first.Add(1)
			} else {
				refused(t, err, chat.Conflict)
			}
		})
	}
	wg.Wait()
	equal(t, "first", first.Load(), 1)
}

// testPasswordsOff: where passwords are not in use, a right one opens nothing.
func testPasswordsOff(t *testing.T, f *fixture) {
	ann := f.user("ann")
	svc := f.svc.WithSignIn(chat.SignIn{PasswordsOff: true})
	_, err := svc.LogIn(t.Context(), "ann", aPassword, "")
	refused(t, err, chat.Forbidden)
	_, err = svc.SignUp(t.Context(), chat.NewUser{Username: "bob", Password: aPassword})
	refused(t, err, chat.Forbidden)
	link, err := f.svc.IssueReset(t.Context(), chat.ByOperator(), ann.ID)
	must(t, err)
	_, err = svc.CompleteReset(t.Context(), link.Code, aPassword)
	refused(t, err, chat.Forbidden)
	_, err = svc.IssueReset(t.Context(), chat.ByOperator(), ann.ID)
	refused(t, err, chat.Forbidden)
	refused(t, svc.RequestReset(t.Context(), chat.ResetRequest{Username: "ann"}), chat.Forbidden)
	_, _, err = svc.Invite(t.Context(), chat.ByUser(ann.ID), chat.NewInvitation{})
	refused(t, err, chat.Forbidden)
}
