package persistencetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"fechatter/chat"
)

const issuer = "https://id.example"

// providers returns the use cases of a deployment with providers of these rules.
func (f *fixture) providers(rules map[string]chat.ProviderRules) *chat.Service {
	return f.svc.WithSignIn(chat.SignIn{Providers: rules})
}

func testIdentities(t *testing.T, f *fixture) {
	ctx := t.Context()
	svc := f.providers(map[string]chat.ProviderRules{"id": {Create: true}, "known": {}})
	who := chat.Identity{Provider: "id", Issuer: issuer, Subject: "s1", Username: "Ann.Example", Name: "Ann Example", Email: "ann@example.org"}
	a, err := svc.LogInByProvider(ctx, who, "laptop")
	must(t, err)
	equal(t, "new", fmt.Sprint(a.User.Username, " ", a.User.DisplayName, " ", a.Created), "ann.example Ann Example true")
	s, err := svc.Authenticate(ctx, a.Token)
	must(t, err)
	equal(t, "session", string(s.Method)+" "+s.Subject+" "+s.Device, "provider s1 laptop")
	account, err := svc.Account(ctx, a.User.ID)
	must(t, err)
	equal(t, "administrator for being first", account.Administrator, false)

	who.Username, who.Name = "renamed", "Renamed"
	again, err := svc.LogInByProvider(ctx, who, "")
	must(t, err)
	equal(t, "the same user", again.User, a.User)
	equal(t, "made again", again.Created, false)
	other := who
	other.Subject, other.Username, other.Name = "s2", "ann.example@example.org", "Ann Example"
	b, err := svc.LogInByProvider(ctx, other, "")
	must(t, err)
	equal(t, "another person of the name", b.User.Username, "ann.example2")
	other.Issuer = "https://other.example"
	c, err := svc.LogInByProvider(ctx, other, "")
	must(t, err)
	if c.User.ID == b.User.ID {
		t.Error("one subject of two issuers is one user")
	}
	other.Provider, other.Subject = "known", "s3"
	_, err = svc.LogInByProvider(ctx, other, "")
	refused(t, err, chat.Forbidden)
	other.Provider = "gone"
	_, err = svc.LogInByProvider(ctx, other, "")
	refused(t, err, chat.NotFound)

	_, err = svc.LogIn(ctx, "ann.example", "", "") // there is no password to be right
	refused(t, err, chat.Unauthenticated)
	late := f.user("late") // registration is open, but others came first
	account, err = svc.Account(ctx, late.ID)
	must(t, err)
	equal(t, "administrator for being the first with a password", account.Administrator, false)
	_, err = svc.Suspend(ctx, chat.ByOperator(), a.User.ID)
	must(t, err)
	_, err = svc.LogInByProvider(ctx, who, "")
	refused(t, err, chat.Forbidden)
}

// testIdentityNames: whatever a provider calls people, they get names that may be had.
func testIdentityNames(t *testing.T, f *fixture) {
	svc := f.providers(map[string]chat.ProviderRules{"id": {Create: true}})
	f.user("boss")
	for i, c := range []struct{ username, name, email, want, shown string }{
		{"admin", "Admin", "", "admin2", "admin2"},
		{"all", "", "", "all2", "all2"},
		{"Zoë Müller", "Zoë Müller", "", "zo-m-ller", "Zoë Müller"},
		{"", "", "grace.hopper@example.org", "grace.hopper", "grace.hopper"},
		{"", "Алиса", "alice@example.org", "alice", "Алиса"},
		{"bob", "Bоb", "", "bob", "bob"}, // the o is Cyrillic
		{"bob", "Bob", "", "bob2", "Bob"},
		{"x", "y", "z@example.org", "", ""},
		{"", "\u202eevil", "mallory@example.org", "mallory", "evil"},
	} {
		a, err := svc.LogInByProvider(t.Context(), chat.Identity{Provider: "id", Issuer: issuer, Subject: fmt.Sprint(i), Username: c.username, Name: c.name, Email: c.email}, "")
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if c.want == "" {
			c.want = a.User.Username
			c.shown = a.User.DisplayName
		}
		equal(t, "of "+c.username+c.name, a.User.Username+" "+a.User.DisplayName, c.want+" "+c.shown)
	}
}

// testIdentityRace: somebody who comes many times at once becomes one user.
func testIdentityRace(t *testing.T, f *fixture) {
	svc := f.providers(map[string]chat.ProviderRules{"id": {Create: true}})
	f.user("boss")
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			a, err := svc.LogInByProvider(t.Context(), chat.Identity{Provider: "id", Issuer: issuer, Subject: "s", Username: "ann"}, "")
			fine(t, err)
			ids[i] = a.User.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		equal(t, "one user", id, ids[0])
	}
}

func testIdentityRules(t *testing.T, f *fixture) {
	ctx := t.Context()
	svc := f.providers(map[string]chat.ProviderRules{
		"a": {Create: true}, "b": {Create: true, LinkByEmail: true}, "c": {Create: true, AllowedDomains: []string{"Example.org"}},
		"d": {LinkByEmail: true},
	})
	come := func(provider, subject, email string, verified bool) (chat.Arrival, error) {
		return svc.LogInByProvider(ctx, chat.Identity{Provider: provider, Issuer: "https://" + provider, Subject: subject, Email: email, EmailVerified: verified}, "")
	}
	_, err := come("a", "0", "Ann@Example.org", true) // whose word about addresses counts for nothing
	must(t, err)
	ann, err := come("b", "0", "Ann@Example.org", true)
	must(t, err)
	equal(t, "linked to whoever claimed the address before", ann.Linked, false)
	address, verified, err := svc.Email(ctx, ann.User.ID)
	must(t, err)
	equal(t, "address", fmt.Sprint(address, " ", verified), "ann@example.org true")
	for _, c := range []struct {
		provider, subject, email string
		verified, linked         bool
	}{
		{"b", "1", "ann@example.org", false, false}, // anybody may claim an address
		{"b", "2", "Ann@example.ORG", true, true},
		{"b", "2", "", false, false}, // known by now
		{"d", "2", "ann@example.org", true, true},
		{"a", "3", "ann@example.org", true, false},
		{"b", "4", "ann@example.org@evil.example", true, false},
		{"b", "5", "", true, false},
	} {
		a, err := come(c.provider, c.subject, c.email, c.verified)
		must(t, err)
		equal(t, fmt.Sprintf("%+v is linked", c), a.Linked, c.linked)
		equal(t, fmt.Sprintf("%+v is ann", c), a.User.ID == ann.User.ID, c.linked || c.subject == "2")
	}
	_, err = come("d", "6", "bob@example.org", true)
	refused(t, err, chat.Forbidden)
	zed := f.user("zed")
	f.svc = f.svc.WithMail()
	session, err := f.openSession(zed, aPassword)
	must(t, err)
	must(t, f.svc.ChangeEmail(ctx, session.Session, "zed@example.org", aPassword, "en"))
	_, err = come("d", "7", "zed@example.org", true) // which zed has not shown to be theirs
	refused(t, err, chat.Forbidden)
	must(t, f.svc.ConfirmEmail(ctx, zed.ID, f.letters()[0].Code, "en"))
	linked, err := come("d", "7", "zed@example.org", true)
	must(t, err)
	equal(t, "whose", linked.User.ID, zed.ID)
	for _, c := range []struct {
		email    string
		verified bool
		code     chat.Code
	}{
		{"bob@example.org", true, ""}, {"bob@EXAMPLE.ORG", true, ""}, {"bob@example.org", false, chat.Forbidden}, {"", true, chat.Forbidden},
		{"bob@sub.example.org", true, chat.Forbidden}, {"bob@example.org.evil", true, chat.Forbidden}, {"example.org", true, chat.Forbidden},
		{"bob@evil@example.org", true, chat.Forbidden}, {"@", true, chat.Forbidden},
	} {
		_, err := come("c", "1", c.email, c.verified)
		equal(t, fmt.Sprintf("%+v", c), chat.CodeOf(err), c.code)
	}
}

// testIdentityEntrance: a provider vouches for people, and the workspace decides whether it
// takes anybody.
func testIdentityEntrance(t *testing.T, f *fixture) {
	ctx := t.Context()
	rules := map[string]chat.ProviderRules{"id": {Create: true, Groups: []string{"root"}}}
	come := func(svc *chat.Service, subject string, groups ...string) (chat.Arrival, error) {
		return svc.LogInByProvider(ctx, chat.Identity{Provider: "id", Issuer: issuer, Subject: subject, Username: "user-" + subject, Groups: groups}, "")
	}
	svc := f.byInvitation().WithSignIn(chat.SignIn{Providers: rules})
	_, err := come(svc, "early")
	refused(t, err, chat.Forbidden)
	_, setup, err := svc.Workspace(ctx)
	must(t, err)
	equal(t, "it still waits for its first administrator", setup, true)
	boss, err := come(svc, "boss", "root")
	must(t, err)
	equal(t, "appointed by the groups", boss.Appointed, true)
	_, setup, err = svc.Workspace(ctx)
	must(t, err)
	equal(t, "it waits", setup, false)
	_, err = come(svc, "early") // without an invitation
	must(t, err)
	closed := f.svc.WithAdmission(chat.Admission{Registration: chat.Closed}).WithSignIn(chat.SignIn{Providers: rules})
	_, err = come(closed, "late")
	refused(t, err, chat.Forbidden)
	_, err = come(closed, "early")
	must(t, err)
	_, err = svc.ChangeWorkspace(ctx, chat.ByUser(boss.User.ID), chat.WorkspaceChange{Registration: new(chat.Closed)})
	must(t, err)
	_, err = come(svc, "late", "root")
	refused(t, err, chat.Forbidden)
}

// testIdentityBegins: where passwords are off nobody needs, or could use, the setup code.
func testIdentityBegins(t *testing.T, f *fixture) {
	svc := f.byInvitation().WithSignIn(chat.SignIn{PasswordsOff: true, Providers: map[string]chat.ProviderRules{"id": {Create: true}}})
	_, needed, err := svc.SetupCode(t.Context())
	must(t, err)
	equal(t, "needs a setup code", needed, false)
	ann, err := svc.LogInByProvider(t.Context(), chat.Identity{Provider: "id", Issuer: issuer, Subject: "s", Username: "ann"}, "")
	must(t, err)
	a, err := svc.Account(t.Context(), ann.User.ID)
	must(t, err)
	equal(t, "administrator for being first", a.Administrator, false)
}

// testIdentityReset: who has no password gets none by mail, which would get round the
// provider; administrators may give one.
func testIdentityReset(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.svc = f.providers(map[string]chat.ProviderRules{"id": {Create: true, LinkByEmail: true}}).WithMail()
	ann, err := f.svc.LogInByProvider(ctx, chat.Identity{Provider: "id", Issuer: issuer, Subject: "s", Username: "ann", Email: "ann@example.org", EmailVerified: true}, "")
	must(t, err)
	must(t, f.svc.RequestReset(ctx, chat.ResetRequest{Username: ann.User.Username}))
	must(t, f.svc.RequestReset(ctx, chat.ResetRequest{Email: "ann@example.org"}))
	equal(t, "wishes", f.answerResets(), 2)
	equal(t, "letters", len(f.letters()), 0)
	link, err := f.svc.IssueReset(ctx, chat.ByOperator(), ann.User.ID)
	must(t, err)
	_, err = f.svc.CompleteReset(ctx, link.Code, aPassword)
	must(t, err)
	_, err = f.openSession(ann.User, aPassword)
	must(t, err)
}

func testIdentityGroups(t *testing.T, f *fixture) {
	ctx := t.Context()
	svc := f.providers(map[string]chat.ProviderRules{"id": {Create: true, Groups: []string{"chat-admins", "root"}}})
	come := func(subject string, groups ...string) chat.Arrival {
		t.Helper()
		a, err := svc.LogInByProvider(ctx, chat.Identity{Provider: "id", Issuer: issuer, Subject: subject, Username: "user-" + subject, Groups: groups}, "")
		must(t, err)
		return a
	}
	is := func(what string, u chat.User, want bool) {
		t.Helper()
		account, err := svc.Account(ctx, u.ID)
		must(t, err)
		equal(t, what, account.Administrator, want)
	}
	boss := come("boss", "staff", "root")
	is("in a group", boss.User, true)
	equal(t, "appointed", boss.Appointed, true)
	equal(t, "appointed again", come("boss", "root").Appointed, false)
	come("boss") // the last one
	is("the last administrator", boss.User, true)
	ann := come("ann", "chat-admin", "Root")
	is("in groups of similar names", ann.User, false)
	is("with a second", come("ann", "chat-admins").User, true)
	equal(t, "dismissed", come("ann", "staff").Dismissed, true)
	is("left the group", ann.User, false)
	_, err := svc.Appoint(ctx, chat.ByOperator(), ann.User.ID)
	must(t, err)
	come("ann", "staff")
	is("appointed by somebody, not by groups", ann.User, true)
	entries, _, err := svc.Audit(ctx, chat.ByOperator(), chat.Page{Limit: 10})
	must(t, err)
	equal(t, "first act", entries[len(entries)-1].Detail, "by the groups of id")
}

func insertProviderSession(i int) func(context.Context, chat.SignInTx) error {
	return func(ctx context.Context, tx chat.SignInTx) error {
		return tx.InsertSession(ctx, chat.Session{ID: NewID(), UserID: tx.Factors().User.ID, CreatedAt: tx.Now(), LastUsedAt: tx.Now(),
			ExpiresAt: tx.Now().Add(time.Hour), Method: chat.ByProvider, Issuer: issuer, Subject: "s1"}, fmt.Append(nil, "token ", i))
	}
}

// deafStore fails where sessions of a subject are to end.
type deafStore struct{ chat.Store }

func (deafStore) RevokeSubject(context.Context, string, string, string) ([]string, int, error) {
	return nil, 0, chat.Errorf(chat.Unavailable, "not now")
}

// testLostFarewell: a farewell that could not be heeded counts when it is said again.
func testLostFarewell(t *testing.T, f *fixture) {
	said := chat.Farewell{Issuer: issuer, Subject: "s1", ID: "1"}
	deaf := chat.NewService(deafStore{f.store}, nil, NewID, nil, chat.Limits{})
	_, _, err := deaf.LogOutByProvider(t.Context(), said)
	refused(t, err, chat.Unavailable)
	_, _, err = f.svc.LogOutByProvider(t.Context(), said)
	must(t, err)
	_, _, err = f.svc.LogOutByProvider(t.Context(), said)
	refused(t, err, chat.Conflict)
}

// testFarewell: a provider ends all sessions that a subject opened by it, and no others,
// each with an event.
func testFarewell(t *testing.T, f *fixture) {
	const many = 1000
	ctx, svc := t.Context(), f.providers(map[string]chat.ProviderRules{"id": {Create: true, LinkByEmail: true}, "other": {Create: true, LinkByEmail: true}})
	who := chat.Identity{Provider: "id", Issuer: issuer, Subject: "s1", Session: "sid", Username: "ann", Email: "a@example.org", EmailVerified: true}
	a, err := svc.LogInByProvider(ctx, who, "")
	must(t, err)
	for i := range many - 1 {
		must(t, f.store.SignIn(ctx, a.User.ID, insertProviderSession(i)))
	}
	other := who
	other.Provider, other.Issuer = "other", "https://other.example"
	kept, err := svc.LogInByProvider(ctx, other, "")
	must(t, err)
	equal(t, "linked", kept.User.ID, a.User.ID)
	users, n, err := svc.LogOutByProvider(ctx, chat.Farewell{Issuer: issuer, Subject: "s1", ID: "1"})
	must(t, err)
	equal(t, "revoked", n, many)
	equalSlices(t, "whose", users, []string{a.User.ID})
	_, err = svc.Authenticate(ctx, a.Token)
	refused(t, err, chat.Unauthenticated)
	_, err = svc.Authenticate(ctx, kept.Token)
	must(t, err)
	equal(t, "events", len(f.published.of(a.User.ID)), many)
	_, _, err = svc.LogOutByProvider(ctx, chat.Farewell{Issuer: issuer, Subject: "s1", ID: "1"})
	refused(t, err, chat.Conflict)

	a, err = svc.LogInByProvider(ctx, who, "")
	must(t, err)
	for id, f := range map[string]chat.Farewell{"another subject": {Subject: "s2"}, "another session": {Session: "sid2"}, "nothing": {}} {
		f.Issuer, f.ID = issuer, id
		_, n, err := svc.LogOutByProvider(ctx, f)
		must(t, err)
		equal(t, "revoked by "+id, n, 0)
	}
	_, n, err = svc.LogOutByProvider(ctx, chat.Farewell{Issuer: issuer, Session: "sid", ID: "2"})
	must(t, err)
	equal(t, "revoked by the provider's session", n, 1)
	_, err = svc.Authenticate(ctx, a.Token)
	refused(t, err, chat.Unauthenticated)
}
