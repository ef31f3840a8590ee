package persistencetest

import (
	"cmp"
	"slices"
	"testing"

	"fechatter/chat"
)

// facts reads what is known about one user.
func (f *fixture) facts(u chat.User) chat.PresenceFacts {
	f.t.Helper()
	found, err := f.svc.PresenceFacts(f.t.Context(), []string{u.ID})
	must(f.t, err)
	if len(found) != 1 {
		f.t.Fatalf("%d facts of one user", len(found))
	}
	return found[0]
}

// visible returns the ids, sorted, of those users whom the viewer may see.
func (f *fixture) visible(viewer chat.User, users ...chat.User) []string {
	f.t.Helper()
	found, err := f.svc.VisiblePresence(f.t.Context(), viewer.ID, userIDs(users))
	must(f.t, err)
	slices.SortFunc(found, func(a, b chat.PresenceFacts) int { return cmp.Compare(a.UserID, b.UserID) })
	return mapTo(found, func(p chat.PresenceFacts) string { return p.UserID })
}

func userIDs(users []chat.User) []string {
	return mapTo(users, func(u chat.User) string { return u.ID })
}

func testPresence(t *testing.T, f *fixture) {
	ann, bob := f.user("ann"), f.user("bob")
	equal(t, "facts of a new user", f.facts(ann), chat.PresenceFacts{UserID: ann.ID, Setting: chat.Online})
	_, err := f.svc.UpdateProfile(t.Context(), ann.ID, chat.Profile{StatusChange: chat.StatusChange{StatusText: new("at lunch")}})
	must(t, err)
	for _, setting := range []chat.PresenceState{chat.Away, chat.DND, chat.Invisible, chat.Online} {
		must(t, f.svc.SetPresence(t.Context(), ann.ID, setting, 0))
		equal(t, "facts", f.facts(ann), chat.PresenceFacts{UserID: ann.ID, Setting: setting, Status: chat.Status{StatusText: "at lunch"}})
	}
	equal(t, "another's setting", f.facts(bob).Setting, chat.Online)
	found, err := f.svc.PresenceFacts(t.Context(), []string{ann.ID, NewID(), bob.ID})
	must(t, err)
	equal(t, "users found", len(found), 2)
}

func testSharedChats(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cid", "dan", "eve")
	ann, bob, cid, dan, eve := people[0], people[1], people[2], people[3], people[4]
	f.group(ann, bob)
	both := f.group(ann, bob, cid)
	f.group(cid, dan)
	equalSlices(t, "ann sees", f.visible(ann, eve, dan, cid, bob, ann), userIDs([]chat.User{ann, bob, cid}))
	equalSlices(t, "dan sees", f.visible(dan, people...), userIDs([]chat.User{cid, dan}))
	equalSlices(t, "eve sees herself", f.visible(eve, people...), []string{eve.ID})
	equalSlices(t, "only those asked for", f.visible(ann, bob, dan), []string{bob.ID})
	_, err := f.svc.RemoveMember(t.Context(), ann.ID, both.ID, cid.ID)
	must(t, err)
	_, err = f.svc.RemoveMember(t.Context(), ann.ID, both.ID, bob.ID)
	must(t, err)
	equalSlices(t, "ann sees those who share another chat", f.visible(ann, people...), userIDs([]chat.User{ann, bob}))
	equalSlices(t, "the removed member no longer sees", f.visible(cid, people...), userIDs([]chat.User{cid, dan}))
}

func testLastActive(t *testing.T, f *fixture) {
	ann, bob := f.user("ann"), f.user("bob")
	saved := func(u chat.User, at, want chat.Time) {
		t.Helper()
		must(t, f.svc.SaveLastActive(t.Context(), map[string]chat.Time{u.ID: at, NewID(): at}))
		equal(t, "last active", f.facts(u).LastActiveAt, want)
	}
	set := func(u chat.User, setting chat.PresenceState, at, want chat.Time) {
		t.Helper()
		must(t, f.svc.SetPresence(t.Context(), u.ID, setting, at))
		equal(t, "last active", f.facts(u).LastActiveAt, want)
	}
	saved(ann, 1000, 1000)
	saved(ann, 900, 1000) // never back
	set(ann, chat.DND, 1100, 1100)
	set(ann, chat.Away, 1050, 1100)
	set(ann, chat.Invisible, 1200, 1200) // the moment of becoming invisible counts
	set(ann, chat.Invisible, 1300, 1200) // setting it again shows nothing new
	saved(ann, 1400, 1200)
	set(ann, chat.Online, 1500, 1200) // what was done unseen stays so
	saved(ann, 1600, 1600)
	equal(t, "another's", f.facts(bob).LastActiveAt, chat.Time(0))
	must(t, f.svc.SaveLastActive(t.Context(), map[string]chat.Time{ann.ID: 2000, bob.ID: 2001}))
	equal(t, "the first of two", f.facts(ann).LastActiveAt, chat.Time(2000))
	equal(t, "the second of two", f.facts(bob).LastActiveAt, chat.Time(2001))
}

func testPresenceRefusals(t *testing.T, f *fixture) {
	ann := f.user("ann")
	for _, setting := range []chat.PresenceState{chat.Offline, chat.Unknown, "", "Online", "busy"} {
		refused(t, f.svc.SetPresence(t.Context(), ann.ID, setting, 0), chat.BadRequest)
	}
	refused(t, f.svc.SetPresence(t.Context(), NewID(), chat.Away, 0), chat.NotFound)
	equal(t, "the setting is left alone", f.facts(ann).Setting, chat.Online)
	many := make([]string, chat.MaxPresences+1)
	for i := range many {
		many[i] = ann.ID
	}
	_, err := f.svc.VisiblePresence(t.Context(), ann.ID, many)
	refused(t, err, chat.BadRequest)
	found, err := f.svc.VisiblePresence(t.Context(), ann.ID, many[1:])
	must(t, err)
	equal(t, "asked for many times, answered once", len(found), 1)
	found, err = f.svc.VisiblePresence(t.Context(), ann.ID, []string{"", "x", "'; --", ann.ID[:35]})
	must(t, err)
	equal(t, "malformed ids", len(found), 0)
	must(t, f.svc.SaveLastActive(t.Context(), nil))
}
