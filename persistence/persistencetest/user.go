package persistencetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"fechatter/chat"
)

func testUsers(t *testing.T, f *fixture) {
	ann := f.user("ann")
	_, err := f.svc.SignUp(f.t.Context(), chat.NewUser{Username: "ann", Password: "another password"})
	refused(t, err, chat.Conflict)
	got, err := f.store.User(f.t.Context(), ann.ID)
	must(t, err)
	equal(t, "user", got, ann)
	equal(t, "display name", got.DisplayName, "ann")
	if age := time.Since(got.CreatedAt.Time()); age < -time.Hour || age > time.Hour {
		t.Errorf("created %s ago", age)
	}
	u, hash, err := f.store.Credentials(f.t.Context(), "ann")
	must(t, err)
	equal(t, "credentials", u, ann)
	equal(t, "hash", hash, "a good password")
	_, _, err = f.store.Credentials(f.t.Context(), "nobody")
	refused(t, err, chat.NotFound)
	changed, err := f.store.SaveProfile(f.t.Context(), ann.ID, chat.Profile{DisplayName: new("Ännchen")})
	must(t, err)
	equal(t, "name", changed.DisplayName, "Ännchen")
	changed, err = f.store.SaveProfile(f.t.Context(), ann.ID, chat.Profile{StatusChange: chat.StatusChange{StatusText: new("busy")}})
	must(t, err)
	equal(t, "name is left alone", changed.DisplayName, "Ännchen")
	equal(t, "status", changed.StatusText, "busy")
	_, err = f.store.SaveProfile(f.t.Context(), NewID(), chat.Profile{})
	refused(t, err, chat.NotFound)
}

// A status is everywhere gone at its end, and nothing of it is in the next.
func testStatus(t *testing.T, f *fixture) {
	ann, ctx := f.user("ann"), t.Context()
	change := func(c chat.StatusChange) chat.User {
		t.Helper()
		u, err := f.store.SaveProfile(ctx, ann.ID, chat.Profile{StatusChange: c})
		must(t, err)
		return u
	}
	seen := func(what string, want chat.Status) {
		t.Helper()
		u, err := f.store.User(ctx, ann.ID)
		must(t, err)
		equal(t, what, u.Status, want)
		u, _, err = f.store.Credentials(ctx, "ann")
		must(t, err)
		equal(t, what+", at log-in", u.Status, want)
		a, err := f.store.Account(ctx, ann.ID)
		must(t, err)
		equal(t, what+", of the account", a.Status, want)
		equal(t, what+", with the presence", f.facts(ann).Status, want)
	}
	later, past := chat.TimeOf(time.Now().Add(time.Hour)), chat.TimeOf(time.Now().Add(-time.Hour))
	lunch := chat.Status{StatusText: "at lunch", StatusEmoji: "🍜", StatusUntil: later}
	equal(t, "answer", change(chat.StatusChange{StatusText: new("at lunch"), StatusEmoji: new("🍜"), StatusUntil: &later}).Status, lunch)
	seen("status", lunch)
	change(chat.StatusChange{StatusUntil: &past})
	seen("an ended status", chat.Status{})
	change(chat.StatusChange{StatusText: new("back")})
	seen("the next status", chat.Status{StatusText: "back"})
	u, err := f.store.SaveProfile(ctx, ann.ID, chat.Profile{TimeZone: new("Asia/Tokyo")})
	must(t, err)
	equal(t, "zone", u.TimeZone+" "+u.StatusText, "Asia/Tokyo back")
}

func testUserPages(t *testing.T, f *fixture) {
	var want []string
	for i := range 5 {
		want = append(want, f.user(fmt.Sprintf("a%d-x", i)).Username)
	}
	f.users("zed_", "zedb", "a.dot", "a_low")
	must(t, save(f, f.user("quiet"), "Straße 100% ÄRGER"))
	list := func(q string) []string {
		users := pages(t, func(p chat.Page) ([]chat.User, string, error) { return f.svc.Users(f.t.Context(), q, p) })
		return mapTo(users, func(u chat.User) string { return u.Username })
	}
	equalSlices(t, "in byte order", list(""), append(append([]string{"a.dot"}, want...), "a_low", "quiet", "zed_", "zedb"))
	equalSlices(t, "by part of a name", list("-X"), want)
	equalSlices(t, "_ is not a wildcard", list("d_"), []string{"zed_"})
	equalSlices(t, "% is not a wildcard", list("0%"), []string{"quiet"})
	equalSlices(t, "any case, any script", list("ärger"), []string{"quiet"})
	equalSlices(t, "as it is spelled", list("STRASSE"), []string{"quiet"})
	must(t, save(f, f.user("wizard"), "Özgür José کتاب ١٢٣"))
	for _, q := range []string{"ozgur", "Özgür", "jose", "JOSÉ", "كتاب", "123"} {
		equalSlices(t, "without accents: "+q, list(q), []string{"wizard"})
	}
	equalSlices(t, "no backslash", list(`\`), []string{})
}

func testUsersByID(t *testing.T, f *fixture) {
	people := f.users("cid", "ann", "bob")
	got, err := f.svc.UsersByID(f.t.Context(), []string{people[0].ID, NewID(), people[1].ID, people[0].ID, "no id", ""})
	must(t, err)
	equalSlices(t, "each once, by username, without what is nobody", got, []chat.User{people[1], people[0]})
	got, err = f.svc.UsersByID(f.t.Context(), nil)
	must(t, err)
	equal(t, "none asked for", len(got), 0)
}

func save(f *fixture, u chat.User, displayName string) error {
	_, err := f.store.SaveProfile(f.t.Context(), u.ID, chat.Profile{DisplayName: &displayName})
	return err
}

func testSessions(t *testing.T, f *fixture) {
	ann, bob := f.user("ann"), f.user("bob")
	var made []chat.Session
	for i := range 5 {
		s, err := f.createSession(chat.Session{ID: NewID(), UserID: ann.ID, Device: fmt.Sprint("device ", i)}, "a good password",
			[]byte{byte(i)}, time.Hour)
		must(t, err)
		made = append(made, s)
	}
	got, now, err := f.store.SessionByToken(f.t.Context(), []byte{3})
	must(t, err)
	equal(t, "session", got, made[3])
	if now < got.CreatedAt || got.ExpiresAt != got.CreatedAt.Add(time.Hour) {
		t.Errorf("created %s, expires %s, now %s", got.CreatedAt, got.ExpiresAt, now)
	}
	_, _, err = f.store.SessionByToken(f.t.Context(), []byte{9})
	refused(t, err, chat.NotFound)
	touched, err := f.store.TouchSession(f.t.Context(), made[0].ID, 2*time.Hour)
	must(t, err)
	equal(t, "touched for two hours", touched.ExpiresAt, touched.LastUsedAt.Add(2*time.Hour))
	list := pages(t, func(p chat.Page) ([]chat.Session, string, error) { return f.store.Sessions(f.t.Context(), ann.ID, p) })
	equal(t, "sessions", len(list), 5)
	for i := 1; i < len(list); i++ {
		if list[i].LastUsedAt > list[i-1].LastUsedAt {
			t.Errorf("session %d was used after the one before it", i)
		}
	}
	_, err = f.createSession(chat.Session{ID: NewID(), UserID: NewID()}, "a good password", []byte("x"), time.Hour)
	refused(t, err, chat.NotFound)
	refused(t, f.store.RevokeSession(f.t.Context(), bob.ID, made[1].ID), chat.NotFound)
	must(t, f.store.RevokeSession(f.t.Context(), ann.ID, made[1].ID))
	refused(t, f.store.RevokeSession(f.t.Context(), ann.ID, made[1].ID), chat.NotFound)
	_, err = f.store.TouchSession(f.t.Context(), made[1].ID, time.Hour)
	refused(t, err, chat.NotFound)
	events := f.log(ann.ID)
	equal(t, "personal events", len(events), 1)
	equal(t, "op", events[0].Op, chat.OpSessionRevoked)
	testExpiredSession(t, f, ann)
}

func testExpiredSession(t *testing.T, f *fixture, ann chat.User) {
	t.Helper()
	expired, err := f.createSession(chat.Session{ID: NewID(), UserID: ann.ID}, "a good password", []byte("old"), -time.Hour)
	must(t, err)
	_, err = f.store.TouchSession(f.t.Context(), expired.ID, time.Hour)
	refused(t, err, chat.NotFound)
	list, _, err := f.store.Sessions(f.t.Context(), ann.ID, chat.Page{Limit: 100})
	must(t, err)
	equal(t, "sessions without the expired one", len(list), 4)
	_, err = f.store.Trim(f.t.Context())
	must(t, err)
	_, _, err = f.store.SessionByToken(f.t.Context(), []byte("old"))
	refused(t, err, chat.NotFound)
}

func testPassword(t *testing.T, f *fixture) {
	ann := f.user("ann")
	var ids []string
	for i := range 3 {
		s, err := f.createSession(chat.Session{ID: NewID(), UserID: ann.ID}, "a good password", []byte{byte(i)}, time.Hour)
		must(t, err)
		ids = append(ids, s.ID)
	}
	must(t, f.store.SavePassword(f.t.Context(), ann.ID, "a good password", "new hash", ids[1], nil))
	_, hash, err := f.store.Credentials(f.t.Context(), "ann")
	must(t, err)
	equal(t, "hash", hash, "new hash")
	_, err = f.createSession(chat.Session{ID: NewID(), UserID: ann.ID}, "a good password", []byte("late"), time.Hour)
	refused(t, err, chat.NotFound)
	list, _, err := f.store.Sessions(f.t.Context(), ann.ID, chat.Page{Limit: 100})
	must(t, err)
	equalSlices(t, "sessions left", mapTo(list, func(s chat.Session) string { return s.ID }), []string{ids[1]})
	equal(t, "published", len(f.published.of(ann.ID)), 2)
	equal(t, "logged", len(f.log(ann.ID)), 2)
	refused(t, f.store.SavePassword(f.t.Context(), ann.ID, "a good password", "another hash", ids[1], nil), chat.Conflict)
	must(t, f.store.SavePassword(f.t.Context(), ann.ID, "new hash", "newer hash", ids[1], nil))
	equal(t, "nothing more to revoke", len(f.log(ann.ID)), 2)
	refused(t, f.store.SavePassword(f.t.Context(), NewID(), "hash", "hash", "", nil), chat.NotFound)
}

// testPasswordRace: a login with the old password during its change gets no session,
// or one that the change revokes.
func testPasswordRace(t *testing.T, f *fixture) {
	for i := range 10 {
		ann := f.user(fmt.Sprint("ann-", i))
		var wg sync.WaitGroup
		for j := range 8 {
			wg.Go(func() {
				_, err := f.createSession(chat.Session{ID: NewID(), UserID: ann.ID}, "a good password",
					fmt.Append(nil, i, j), time.Hour)
				if err != nil {
					refused(t, err, chat.NotFound)
				}
			})
		}
		wg.Go(func() { fine(t, f.store.SavePassword(f.t.Context(), ann.ID, "a good password", "new hash", "", nil)) })
		wg.Wait()
		list, _, err := f.store.Sessions(f.t.Context(), ann.ID, chat.Page{Limit: 100})
		must(t, err)
		equal(t, "sessions by the old password", len(list), 0)
	}
}
