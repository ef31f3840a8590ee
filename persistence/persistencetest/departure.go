package persistencetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"fechatter/chat"
)

// depart does the departures that wait.
func (f *fixture) depart() (departed []string) {
	f.t.Helper()
	jobs, err := f.store.ClaimJobs(f.t.Context(), chat.JobDeparture, 10*time.Minute, 100)
	must(f.t, err)
	for _, j := range jobs {
		must(f.t, f.svc.Depart(f.t.Context(), j.Key))
		must(f.t, f.svc.Depart(f.t.Context(), j.Key)) // a second node, late
		_, err := f.store.FinishJob(f.t.Context(), j)
		must(f.t, err)
		departed = append(departed, j.Key)
	}
	return departed
}

// testDeletedAccount: nobody can sign in as a deleted user, find them or reach them, and what
// they have written stays.
func testDeletedAccount(t *testing.T, f *fixture) {
	ctx := t.Context()
	root, ann, bob := f.user("root"), f.user("ann"), f.user("bob")
	f.svc = f.svc.WithMail()
	f.verified(ann, "ann@example.org")
	said := f.send(f.group(ann, bob), ann, "hello")

	_, err := f.svc.DeleteAccount(ctx, ann.ID, "a wrong password")
	refused(t, err, chat.Forbidden)
	_, err = f.svc.DeleteAccount(ctx, root.ID, aPassword) // the last administrator
	refused(t, err, chat.Conflict)
	revoked, err := f.svc.DeleteAccount(ctx, ann.ID, aPassword)
	must(t, err)
	equal(t, "sessions", revoked, 1)
	_, err = f.svc.DeleteAccount(ctx, ann.ID, aPassword)
	refused(t, err, chat.Forbidden)

	u, err := f.svc.User(ctx, ann.ID)
	must(t, err)
	equal(t, "name", u.DisplayName, "Deleted user")
	equal(t, "profile", u.Status, chat.Status{})
	_, err = f.openSession(ann, aPassword)
	refused(t, err, chat.Unauthenticated)
	name := "Ann again"
	_, err = f.svc.UpdateProfile(ctx, ann.ID, chat.Profile{DisplayName: &name})
	refused(t, err, chat.NotFound)
	_, err = f.svc.SignUp(ctx, chat.NewUser{Username: ann.Username, Password: aPassword})
	refused(t, err, chat.Conflict)
	for _, q := range []string{"", "ann", "Deleted"} {
		users, _, err := f.svc.Users(ctx, q, chat.Page{Limit: 10})
		must(t, err)
		equal(t, "found by "+q, slices.ContainsFunc(users, func(u chat.User) bool { return u.ID == ann.ID }), false)
		accounts, _, err := f.svc.Accounts(ctx, chat.ByOperator(), q, chat.Page{Limit: 10})
		must(t, err)
		equal(t, "account found by "+q, slices.ContainsFunc(accounts, func(a chat.Account) bool { return a.ID == ann.ID }), false)
	}
	_, err = f.svc.Restore(ctx, chat.ByOperator(), ann.ID)
	refused(t, err, chat.NotFound)
	_, _, err = f.svc.CreateChat(ctx, bob.ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{ann.ID}})
	refused(t, err, chat.NotFound)
	m, err := f.svc.Message(ctx, bob.ID, said.MessageID)
	must(t, err)
	equal(t, "what they wrote", m.Body, "hello")
	_, err = f.store.UserByVerifiedEmail(ctx, "ann@example.org")
	refused(t, err, chat.NotFound)
}

// testDeparture: a deleted user leaves their chats, which are never without an owner.
func testDeparture(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.user("root")
	ann, bob, eve := f.user("ann"), f.user("bob"), f.user("eve")
	pair, owned, alone := f.direct(ann, bob), f.group(ann, bob, eve), f.group(ann)
	admin := chat.RoleAdmin
	_, err := f.svc.UpdateMember(ctx, ann.ID, owned.ID, eve.ID, chat.MemberChange{Role: &admin})
	must(t, err)
	_, err = f.svc.DeleteAccount(ctx, ann.ID, aPassword)
	must(t, err)
	equal(t, "departed", len(f.depart()), 1)

	left, err := f.store.ChatIDs(ctx, ann.ID)
	must(t, err)
	equal(t, "their chats", len(left), 1)
	equal(t, "of which the pair's stays", left[0], pair.ID)
	members, _, err := f.svc.Members(ctx, bob.ID, owned.ID, chat.Page{Limit: 10})
	must(t, err)
	equal(t, "members", len(members), 2)
	for _, m := range members {
		equal(t, "the admin owns it", m.Role == chat.RoleOwner, m.UserID == eve.ID)
	}
	log := f.log(owned.ID)
	equal(t, "told", log[len(log)-1].Op, chat.OpMemberRemoved)
	equal(t, "nobody is in the other", f.log(alone.ID)[len(f.log(alone.ID))-1].Op, chat.OpMemberRemoved)
}

// testDeletedAccountRace: whoever logs in while their account is deleted has no session
// afterwards.
func testDeletedAccountRace(t *testing.T, f *fixture) {
	f.user("root")
	for i := range 5 {
		name := fmt.Sprint("ann-", i)
		ann := f.user(name)
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() { _, _ = f.logIn(name) })
		}
		wg.Go(func() {
			_, err := f.svc.DeleteAccount(t.Context(), ann.ID, aPassword)
			fine(t, err)
		})
		wg.Wait()
		list, _, err := f.svc.Sessions(t.Context(), ann.ID, chat.Page{Limit: 100})
		must(t, err)
		equal(t, "sessions of a deleted user", len(list), 0)
	}
}
