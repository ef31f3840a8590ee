package persistencetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"fechatter/chat"
)

func (f *fixture) logIn(name string) (chat.Login, error) {
	return f.svc.LogIn(f.t.Context(), name, "a good password", "device")
}

// audited returns the actions in the audit log, the oldest first.
func (f *fixture) audited() []chat.Action {
	f.t.Helper()
	entries := pages(f.t, func(p chat.Page) ([]chat.AuditEntry, string, error) {
		return f.svc.Audit(f.t.Context(), chat.ByOperator(), p)
	})
	actions := make([]chat.Action, len(entries))
	for i, e := range entries {
		actions[len(entries)-1-i] = e.Action
	}
	return actions
}

func testFirstUser(t *testing.T, f *fixture) {
	var together sync.WaitGroup
	for i := range 8 {
		together.Go(func() {
			_, err := f.svc.SignUp(t.Context(), chat.NewUser{Username: fmt.Sprint("user", i), Password: "a good password"})
			fine(t, err)
		})
	}
	together.Wait()
	f.user("named")
	named := f.svc.WithAdministrators([]string{"named", "later", "nobody"})
	for _, want := range []int{1, 0} {
		appointed, passedOver, err := named.AppointNamed(t.Context())
		must(t, err)
		equal(t, "appointed", len(appointed), want)
		equalSlices(t, "passed over", passedOver, []string{"later", "nobody"})
	}
	_, err := named.SignUp(t.Context(), chat.NewUser{Username: "later", Password: "a good password"})
	must(t, err)
	_, passedOver, err := named.AppointNamed(t.Context())
	must(t, err)
	equalSlices(t, "passed over, now that one exists", passedOver, []string{"later", "nobody"})
	var administrators []string
	first := 0
	accounts := pages(t, func(p chat.Page) ([]chat.Account, string, error) {
		return f.svc.Accounts(t.Context(), chat.ByOperator(), "", p)
	})
	for _, a := range accounts {
		switch {
		case a.Administrator && len(a.Username) == len("user0") && a.Username != "named" && a.Username != "later":
			first++
		case a.Administrator:
			administrators = append(administrators, a.Username)
		}
	}
	equal(t, "accounts", len(accounts), 10)
	equal(t, "first users", first, 1)
	equalSlices(t, "named", administrators, []string{"named"})
	equalSlices(t, "audited", f.audited(), []chat.Action{chat.AuditAppointed, chat.AuditAppointed})
}

// Whoever takes a name from the settings that nobody had is no administrator, neither
// now nor at a later start; the operator may still appoint them.
func testNamedInsteadOfFirst(t *testing.T, f *fixture) {
	named := f.svc.WithAdministrators([]string{"zoe"})
	_, _, err := named.AppointNamed(t.Context())
	must(t, err)
	zoe, err := named.SignUp(t.Context(), chat.NewUser{Username: "zoe", Password: "a good password"})
	must(t, err)
	for range 2 {
		a, err := named.Account(t.Context(), zoe.ID)
		must(t, err)
		equal(t, "whoever took the name is administrator", a.Administrator, false)
		_, _, err = named.AppointNamed(t.Context())
		must(t, err)
	}
	_, err = named.Appoint(t.Context(), chat.ByOperator(), zoe.ID)
	must(t, err)
	ann, err := named.SignUp(t.Context(), chat.NewUser{Username: "ann", Password: "a good password"})
	must(t, err)
	a, err := named.Account(t.Context(), ann.ID)
	must(t, err)
	equal(t, "an early user is administrator despite the setting", a.Administrator, false)
	_, err = named.AccountNamed(t.Context(), chat.ByUser(ann.ID), "ann")
	refused(t, err, chat.Forbidden)
	bob := f.user("bob") // without the setting
	a, err = f.svc.Account(t.Context(), bob.ID)
	must(t, err)
	equal(t, "the second user is administrator", a.Administrator, false)
}

func testSuspension(t *testing.T, f *fixture) {
	ctx := t.Context()
	root, ann := f.user("root"), f.user("ann")
	by := chat.ByUser(root.ID)
	for range 3 {
		_, err := f.logIn("ann")
		must(t, err)
	}
	a, err := f.svc.Suspend(ctx, by, ann.ID)
	must(t, err)
	if a.SuspendedAt == nil {
		t.Error("not suspended")
	}
	again, err := f.svc.Suspend(ctx, by, ann.ID)
	must(t, err)
	equal(t, "suspended since", *again.SuspendedAt, *a.SuspendedAt)
	equal(t, "events", len(f.published.of(ann.ID)), 3)
	equal(t, "logged", len(f.log(ann.ID)), 3)
	sessions, _, err := f.svc.Sessions(ctx, ann.ID, chat.Page{Limit: 10})
	must(t, err)
	equal(t, "sessions", len(sessions), 0)
	_, err = f.logIn("ann")
	refused(t, err, chat.Forbidden)
	_, err = f.svc.LogIn(ctx, "ann", "a wrong password", "")
	refused(t, err, chat.Unauthenticated)
	_, err = f.svc.Restore(ctx, by, ann.ID)
	must(t, err)
	_, err = f.logIn("ann")
	must(t, err)
	n, err := f.svc.RevokeSessions(ctx, by, ann.ID)
	must(t, err)
	equal(t, "revoked", n, 1)
	n, err = f.svc.RevokeSessions(ctx, chat.ByOperator(), ann.ID)
	must(t, err)
	equal(t, "revoked again", n, 0)
	equalSlices(t, "audited", f.audited(), []chat.Action{chat.AuditAppointed, chat.AuditSuspended, chat.AuditRestored, chat.AuditSessionsRevoked})
}

// testSuspensionRace: a login during the suspension gets no session, or one that the
// suspension revokes.
func testSuspensionRace(t *testing.T, f *fixture) {
	root := f.user("root")
	for i := range 5 {
		name := fmt.Sprint("ann-", i)
		ann := f.user(name)
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				if _, err := f.logIn(name); err != nil {
					refused(t, err, chat.Forbidden)
				}
			})
		}
		wg.Go(func() {
			_, err := f.svc.Suspend(t.Context(), chat.ByUser(root.ID), ann.ID)
			fine(t, err)
		})
		wg.Wait()
		list, _, err := f.svc.Sessions(t.Context(), ann.ID, chat.Page{Limit: 100})
		must(t, err)
		equal(t, "sessions of a suspended user", len(list), 0)
	}
}

func testLastAdministrator(t *testing.T, f *fixture) {
	ctx := t.Context()
	root, ann := f.user("root"), f.user("ann")
	byRoot, byAnn, byOperator := chat.ByUser(root.ID), chat.ByUser(ann.ID), chat.ByOperator()
	for name, act := range map[string]func(chat.Actor, string) error{
		"suspend": func(by chat.Actor, id string) error { _, err := f.svc.Suspend(ctx, by, id); return err },
		"dismiss": func(by chat.Actor, id string) error { _, err := f.svc.Dismiss(ctx, by, id); return err },
	} {
		for who, by := range map[string]chat.Actor{"root": byRoot, "the operator": byOperator} {
			if err := act(by, root.ID); chat.CodeOf(err) != chat.Conflict {
				t.Errorf("%s the last administrator by %s: %v", name, who, err)
			}
		}
		refused(t, act(byAnn, root.ID), chat.Forbidden)
		refused(t, act(chat.ByUser(NewID()), root.ID), chat.Forbidden)
		refused(t, act(byRoot, NewID()), chat.NotFound)
		refused(t, act(byRoot, "ann"), chat.NotFound)
	}
	_, err := f.svc.Appoint(ctx, byRoot, ann.ID)
	must(t, err)
	// Two dismiss each other: one remains.
	var wg sync.WaitGroup
	codes := make([]chat.Code, 2)
	for i, pair := range [][2]string{{root.ID, ann.ID}, {ann.ID, root.ID}} {
		wg.Go(func() {
			_, err := f.svc.Dismiss(ctx, chat.ByUser(pair[0]), pair[1])
			codes[i] = chat.CodeOf(err)
		})
	}
	wg.Wait()
	if codes[0] == codes[1] || codes[0] != "" && codes[0] != chat.Forbidden || codes[1] != "" && codes[1] != chat.Forbidden {
		t.Errorf("two who dismiss each other get %q", codes)
	}
	_, err = f.svc.Suspend(ctx, byOperator, ann.ID)
	_, second := f.svc.Suspend(ctx, byOperator, root.ID)
	if (err == nil) == (second == nil) {
		t.Errorf("suspend both: %v and %v, want one refusal", err, second)
	}
}

// testRetentionClaim: one of the claimants sweeps, for as long as it renews its claim.
func testRetentionClaim(t *testing.T, f *fixture) {
	claim := func(sweep string, lasts time.Duration) bool {
		ours, err := f.store.ClaimRetention(t.Context(), sweep, lasts)
		must(t, err)
		return ours
	}
	equal(t, "the first", claim("a", time.Hour), true)
	equal(t, "another", claim("b", time.Hour), false)
	equal(t, "renewed", claim("a", -time.Second), true)
	equal(t, "after it ended", claim("b", time.Hour), true)
	equal(t, "the first again", claim("a", time.Hour), false)
}
