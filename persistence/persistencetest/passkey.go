package persistencetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"fechatter/chat"
)

// wordPasskeys are passkeys that can be read: an answer is "USER CREDENTIAL COUNTER".
type wordPasskeys struct{}

func (wordPasskeys) CreationOptions(_ chat.Site, _ []byte, u chat.User, known []chat.Passkey) ([]byte, error) {
	return fmt.Appendf(nil, "%s has %d", u.Username, len(known)), nil
}

func (wordPasskeys) Create(_ chat.Site, _ []byte, _ chat.User, answer []byte) (chat.Passkey, error) {
	_, credential, counter, err := words(answer)
	return chat.Passkey{Credential: credential, Data: "new", Counter: counter}, err
}

func (wordPasskeys) RequestOptions(chat.Site, []byte) ([]byte, error) { return []byte("who?"), nil }

func (wordPasskeys) Claimed(answer []byte) (userID, credential string, err error) {
	userID, credential, _, err = words(answer)
	return userID, credential, err
}

func (wordPasskeys) Verify(_ chat.Site, _ []byte, _ chat.Passkey, answer []byte) (uint32, string, error) {
	_, _, counter, err := words(answer)
	return counter, "used", err
}

func words(answer []byte) (user, credential string, counter uint32, err error) {
	if _, err := fmt.Sscan(string(answer), &user, &credential, &counter); err != nil || strings.HasPrefix(credential, "bad") {
		return "", "", 0, errors.New("not an answer")
	}
	return user, credential, counter, nil
}

var site = chat.Site{Name: "chat.example", Origins: []string{"https://chat.example"}}

// addPasskey gives a user a passkey whose counter is 5.
func addPasskey(t testing.TB, svc *chat.Service, u chat.User, credential string) (chat.Passkey, error) {
	t.Helper()
	c, err := svc.BeginPasskey(t.Context(), u.ID, site)
	must(t, err)
	return svc.AddPasskey(t.Context(), u.ID, site, "laptop", c.Challenge, fmt.Appendf(nil, "%s %s 5", u.ID, credential))
}

func testPasskeys(t *testing.T, f *fixture) {
	ctx, svc := t.Context(), f.svc.WithSignIn(chat.SignIn{Passkeys: wordPasskeys{}})
	ann, bob := f.user("ann"), f.user("bob")
	p, err := addPasskey(t, svc, ann, "key")
	must(t, err)
	_, err = addPasskey(t, svc, bob, "key")
	refused(t, err, chat.Conflict)
	_, err = addPasskey(t, svc, bob, "bad")
	refused(t, err, chat.BadRequest)
	for i := range 4 {
		_, err = addPasskey(t, svc, ann, fmt.Sprint("key", i))
		must(t, err)
	}
	list := pages(t, func(p chat.Page) ([]chat.Passkey, string, error) { return svc.Passkeys(ctx, ann.ID, p) })
	equal(t, "passkeys", len(list), 5)
	equal(t, "the first", list[0], p)
	factors, err := svc.Factors(ctx, ann.ID)
	must(t, err)
	equal(t, "counted", factors.Passkeys, 5)

	in := func(answer string) (chat.Login, error) {
		c, err := svc.BeginPasskeyLogIn(site)
		must(t, err)
		return svc.LogInByPasskey(ctx, site, c.Challenge, []byte(answer), "phone")
	}
	l, err := in(ann.ID + " key 6")
	must(t, err)
	s, err := svc.Authenticate(ctx, l.Token)
	must(t, err)
	equal(t, "session", s.UserID+" "+s.Device+" "+string(s.Method), ann.ID+" phone passkey")
	for _, answer := range []string{ann.ID + " key 6", ann.ID + " key 0", bob.ID + " key 7", ann.ID + " other 7", "nonsense"} {
		_, err := in(answer)
		refused(t, err, chat.Unauthenticated)
	}
	used, err := f.store.PasskeyOf(ctx, "key")
	must(t, err)
	equal(t, "counter and data", fmt.Sprint(used.Counter, " ", used.Data), "6 used")
	if used.LastUsedAt == nil {
		t.Error("it was never used")
	}
	refused(t, svc.DeletePasskey(ctx, bob.ID, p.ID), chat.NotFound)
	must(t, svc.DeletePasskey(ctx, ann.ID, p.ID))
	_, err = in(ann.ID + " key 8")
	refused(t, err, chat.Unauthenticated)
	_, err = svc.RemoveFactors(ctx, chat.ByOperator(), ann.ID)
	must(t, err)
	_, err = in(ann.ID + " key1 8")
	refused(t, err, chat.Unauthenticated)
}

// testChallengeOnce: of many answers to one challenge at once, one gets in.
func testChallengeOnce(t *testing.T, f *fixture) {
	svc, ann := f.svc.WithSignIn(chat.SignIn{Passkeys: wordPasskeys{}}), f.user("ann")
	_, err := addPasskey(t, svc, ann, "key")
	must(t, err)
	c, err := svc.BeginPasskeyLogIn(site)
	must(t, err)
	var in atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			answer := fmt.Appendf(nil, "%s key %d", ann.ID, 10+i)
			if _, err := svc.LogInByPasskey(t.Context(), site, c.Challenge, answer, ""); err == nil {
				in.Add(1)
			} else {
				refused(t, err, chat.Unauthenticated)
			}
		})
	}
	wg.Wait()
	equal(t, "in", in.Load(), 1)
	other := chat.Site{Name: "other.example"}
	c, err = svc.BeginPasskeyLogIn(other)
	must(t, err)
	_, err = svc.LogInByPasskey(t.Context(), site, c.Challenge, fmt.Appendf(nil, "%s key 99", ann.ID), "")
	refused(t, err, chat.Unauthenticated) // a challenge of another site
}
