package persistencetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"fechatter/chat"
)

// few are limits at which little is much.
func (f *fixture) few() *chat.Service {
	limits := chat.DefaultLimits()
	limits.ChatsPerUser, limits.Requests = 4, 3
	return Limited(f.store, limits)
}

// direct opens a direct chat.
func (f *fixture) direct(a, b chat.User) chat.Chat {
	f.t.Helper()
	c, _, err := f.svc.CreateChat(f.t.Context(), a.ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{b.ID}})
	must(f.t, err)
	return c
}

// requests lists the chats that wait for a user.
func (f *fixture) requests(u chat.User) []string {
	f.t.Helper()
	page, err := f.svc.AllEntries(f.t.Context(), u.ID)
	must(f.t, err)
	page.Entries = slices.DeleteFunc(page.Entries, func(e chat.Entry) bool { return !e.Request })
	return mapTo(page.Entries, func(e chat.Entry) string { return e.ID })
}

// testRequests: what is a request, and what ends it.
func testRequests(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat", "dan")
	ann, bob, cat, dan := people[0], people[1], people[2], people[3]
	ctx := t.Context()
	first := f.group(ann, bob, cat, dan)
	equal(t, "the maker's own", f.entry(first, ann).Request, false)
	equal(t, "a stranger's group", f.entry(first, bob).Request, true)
	second := f.group(ann, bob)
	equal(t, "sharing a request makes nobody known", f.entry(second, bob).Request, true)
	e, err := f.svc.Accept(ctx, bob.ID, first.ID)
	must(t, err)
	equal(t, "accepted", e.Request, false)
	equal(t, "the other one still waits", f.entry(second, bob).Request, true)
	equal(t, "once they share an accepted chat", f.entry(f.group(ann, bob), bob).Request, false)
	equal(t, "a direct chat, too", f.entry(f.direct(ann, bob), bob).Request, false)
	equal(t, "everybody in that chat is known", f.entry(f.direct(cat, bob), bob).Request, false)
	equal(t, "but bob is not to them", f.entry(f.direct(bob, dan), dan).Request, true)
	f.send(first, cat, "hello")
	equal(t, "who writes has accepted", f.entry(first, cat).Request, false)
	f.send(first, cat, "again")
	sent := f.send(first, ann, "hello")
	_, err = f.svc.React(ctx, dan.ID, sent.MessageID, "👍")
	must(t, err)
	equal(t, "who reacts has accepted", f.entry(first, dan).Request, false)
	_, err = f.svc.Accept(ctx, f.user("eve").ID, first.ID)
	refused(t, err, chat.NotFound)
	seq, err := f.svc.RemoveMember(ctx, bob.ID, second.ID, bob.ID)
	must(t, err)
	equal(t, "declined", seq, int64(4))
	_, err = f.svc.Accept(ctx, bob.ID, second.ID)
	refused(t, err, chat.NotFound)
	equal(t, "requests in the end", len(f.requests(bob)), 0)
}

// testJoinedIsKnown: everybody in a channel that somebody joined is known to them.
func testJoinedIsKnown(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	general, _, err := f.svc.CreateChat(t.Context(), people[0].ID, chat.NewChat{Kind: chat.Public, Name: "general"})
	must(t, err)
	for _, u := range people[1:] {
		e, err := f.svc.Join(t.Context(), u.ID, general.ID)
		must(t, err)
		equal(t, "joined", e.Request, false)
	}
	equal(t, "a colleague's first message", f.entry(f.direct(people[2], people[1]), people[1]).Request, false)
	other, _, err := f.svc.CreateChat(t.Context(), people[0].ID, chat.NewChat{Kind: chat.Public, Name: "other"})
	must(t, err)
	stranger := f.user("dan")
	_, _, err = f.svc.AddMember(t.Context(), people[0].ID, other.ID, stranger.ID, "")
	must(t, err)
	equal(t, "put into a channel", f.entry(other, stranger).Request, true)
	e, err := f.svc.Join(t.Context(), stranger.ID, other.ID)
	must(t, err)
	equal(t, "joining accepts", e.Request, false)
	equal(t, "without an event", e.LastSeq, int64(3))
}

// testFullInbox: what others do never uses up what one may have, and never piles up.
func testFullInbox(t *testing.T, f *fixture) {
	few, ctx := f.few(), t.Context()
	victim := f.user("victim")
	var strangers []chat.User
	var made []chat.Chat
	for i := range 6 {
		s := f.user(fmt.Sprint("stranger", i))
		c, _, err := few.CreateChat(ctx, s.ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{victim.ID}})
		must(t, err)
		strangers, made = append(strangers, s), append(made, c)
	}
	equalSlices(t, "the oldest went", f.requests(victim), []string{made[5].ID, made[4].ID, made[3].ID})
	for i, c := range made[:3] {
		events := f.log(c.ID)
		last := events[len(events)-1]
		equal(t, "the last event of what went", fmt.Sprint(last.Op, last.Subject, last.ActorID),
			fmt.Sprint(chat.OpMemberRemoved, victim.ID, victim.ID))
		equal(t, "members left", f.entry(c, strangers[i]).MemberCount, 1)
	}
	var told []chat.Op
	for _, e := range f.published.of(victim.ID) {
		told = append(told, e.Op)
	}
	joined, left := chat.OpChatJoined, chat.OpChatLeft
	equalSlices(t, "told", told, []chat.Op{joined, joined, joined, left, joined, left, joined, left, joined})
	for i := range 4 {
		_, _, err := few.CreateChat(ctx, victim.ID, chat.NewChat{Kind: chat.Group})
		must(t, err)
		equal(t, "requests beside own chats", len(f.requests(victim)), 3)
		if i == 3 {
			_, _, err = few.CreateChat(ctx, victim.ID, chat.NewChat{Kind: chat.Group})
			refused(t, err, chat.Conflict)
		}
	}
	_, err := few.Accept(ctx, victim.ID, made[5].ID)
	refused(t, err, chat.Conflict)
	_, _, err = few.CreateChat(ctx, strangers[0].ID, chat.NewChat{Kind: chat.Group, MemberIDs: []string{victim.ID}})
	must(t, err) // who has enough chats of their own is invited all the same
	equal(t, "requests", len(f.requests(victim)), 3)
}

// testCrowdedInbox: who fills an inbox pushes out their own requests, whoever made the chats that
// they put people into, and nobody else's before there are more of those.
func testCrowdedInbox(t *testing.T, f *fixture) {
	few, ctx := f.few(), t.Context()
	victim, eve := f.user("victim"), f.user("eve")
	honest := f.direct(f.user("ann"), victim)
	put := func(by chat.User, made chat.Chat) chat.Chat {
		_, _, err := few.AddMember(ctx, by.ID, made.ID, victim.ID, "")
		must(t, err)
		return made
	}
	var crowd []chat.Chat
	for i := range 4 {
		shill := f.user(fmt.Sprint("shill", i))
		made, _, err := f.svc.CreateChat(ctx, shill.ID, chat.NewChat{Kind: chat.Public, Name: NewID()})
		must(t, err)
		_, err = f.svc.Join(ctx, eve.ID, made.ID)
		must(t, err)
		_, err = f.svc.UpdateMember(ctx, shill.ID, made.ID, eve.ID, chat.MemberChange{Role: new(chat.RoleAdmin)})
		must(t, err)
		crowd = append(crowd, put(eve, made))
	}
	equalSlices(t, "after a crowd", f.requests(victim), []string{crowd[3].ID, crowd[2].ID, honest.ID})
	late, _, err := few.CreateChat(ctx, f.user("bob").ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{victim.ID}})
	must(t, err)
	equalSlices(t, "after another stranger", f.requests(victim), []string{late.ID, crowd[3].ID, honest.ID})
	last, _, err := few.CreateChat(ctx, f.user("cat").ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{victim.ID}})
	must(t, err)
	equalSlices(t, "where all made as many", f.requests(victim), []string{last.ID, late.ID, crowd[3].ID})
}

// testUnusedChats: acquaintances cannot fill somebody's list either.
func testUnusedChats(t *testing.T, f *fixture) {
	few, ctx := f.few(), t.Context()
	people := f.users("bob", "ann", "cat", "dan", "eve", "fay", "gus", "hal", "ida")
	bob := people[0]
	common := f.group(people...)
	f.send(common, people[1], "hello")
	_, err := few.Accept(ctx, bob.ID, common.ID)
	must(t, err)
	for i, maker := range people[1:] {
		c, _, err := few.CreateChat(ctx, maker.ID, chat.NewChat{Kind: chat.Group, MemberIDs: []string{bob.ID}})
		must(t, err)
		equal(t, fmt.Sprint("request of acquaintance ", i), f.entry(c, bob).Request, i >= 3)
	}
	ids, err := f.svc.ChatIDs(ctx, bob.ID)
	must(t, err)
	equal(t, "chats", len(ids), 1+3+3)
	for range 3 {
		_, _, err := few.CreateChat(ctx, bob.ID, chat.NewChat{Kind: chat.Group})
		must(t, err) // none of those counts
	}
}

// testFullInboxRace: many invite the same people at once.
func testFullInboxRace(t *testing.T, f *fixture) {
	few, ctx := f.few(), t.Context()
	victims := userIDs(f.users("ann", "bob", "cat"))
	var all sync.WaitGroup
	for i := range 9 {
		maker := f.user(fmt.Sprint("stranger", i))
		all.Go(func() {
			_, _, err := few.CreateChat(ctx, maker.ID, chat.NewChat{Kind: chat.Group, MemberIDs: victims})
			fine(t, err)
		})
	}
	all.Wait()
	for _, id := range victims {
		equal(t, "requests", len(f.requests(chat.User{ID: id})), 3)
	}
}

// testAcceptRace: a request is accepted at the moment at which it would have to go.
func testAcceptRace(t *testing.T, f *fixture) {
	few, ctx := f.few(), t.Context()
	for round := range 8 {
		victim := f.user(fmt.Sprint("victim", round))
		var made []chat.Chat
		open := func(i int) {
			s := f.user(fmt.Sprintf("s%d-%d", round, i))
			c, _, err := few.CreateChat(ctx, s.ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{victim.ID}})
			fine(t, err)
			made = append(made, c)
		}
		for i := range 3 {
			open(i)
		}
		var both sync.WaitGroup
		var accepted error
		oldest := made[0].ID
		both.Go(func() { open(3) })
		both.Go(func() {
			if round%2 == 0 {
				_, accepted = few.Accept(ctx, victim.ID, oldest)
				return
			}
			_, accepted = few.Send(ctx, chat.Send{ChatID: oldest, SenderID: victim.ID, Key: NewID(), Body: "hello"})
		})
		both.Wait()
		ids, err := f.svc.ChatIDs(ctx, victim.ID)
		must(t, err)
		equal(t, "requests", len(f.requests(victim)), 3)
		in := slices.Contains(ids, oldest)
		if accepted == nil {
			equal(t, "still in what was accepted", in, true)
			equal(t, "chats", len(ids), 4)
			continue
		}
		refused(t, accepted, chat.NotFound)
		equal(t, "gone", in, false)
	}
}

// testReopening: a direct chat that one side declined is opened again by either.
func testReopening(t *testing.T, f *fixture) {
	ctx := t.Context()
	ann, bob := f.user("ann"), f.user("bob")
	c := f.direct(ann, bob)
	f.send(c, ann, "hello")
	_, err := f.svc.RemoveMember(ctx, ann.ID, c.ID, ann.ID)
	refused(t, err, chat.Conflict)
	_, err = f.svc.RemoveMember(ctx, bob.ID, c.ID, bob.ID)
	must(t, err)
	_, err = f.svc.Send(ctx, chat.Send{ChatID: c.ID, SenderID: ann.ID, Key: NewID(), Body: "are you there?"})
	refused(t, err, chat.Conflict)
	equal(t, "the same chat", f.direct(ann, bob).ID, c.ID)
	equal(t, "a request again", f.entry(c, bob).Request, true)
	f.send(c, ann, "again")
	_, err = f.svc.RemoveMember(ctx, bob.ID, c.ID, bob.ID)
	must(t, err)
	equal(t, "opened by who had declined", f.direct(bob, ann).ID, c.ID)
	equal(t, "their own", f.entry(c, bob).Request, false)
	equal(t, "members", f.entry(c, ann).MemberCount, 2)
	before := f.entry(c, ann).LastSeq
	f.direct(bob, ann)
	f.direct(ann, bob)
	equal(t, "nothing happens to a whole one", f.entry(c, ann).LastSeq, before)
	_, err = f.svc.RemoveMember(ctx, bob.ID, c.ID, bob.ID)
	refused(t, err, chat.Conflict)
}

// testHidden: a hidden chat is out of the list until its next message.
func testHidden(t *testing.T, f *fixture) {
	ctx := t.Context()
	ann, bob := f.user("ann"), f.user("bob")
	c, other := f.direct(ann, bob), f.group(bob)
	sent := f.send(c, ann, "hello")
	hide := func(hidden bool) {
		m, err := f.svc.UpdateMember(ctx, bob.ID, c.ID, bob.ID, chat.MemberChange{Hidden: &hidden})
		must(t, err)
		equal(t, "as it was set", m.Hidden, hidden)
	}
	listed := func() []string {
		list := pages(t, func(p chat.Page) ([]chat.Entry, string, error) {
			page, err := f.svc.Entries(ctx, bob.ID, p)
			return page.Entries, page.Next, err
		})
		return mapTo(list, func(e chat.Entry) string { return e.ID })
	}
	hide(true)
	equalSlices(t, "listed", listed(), []string{other.ID})
	equal(t, "the entry says so", f.entry(c, bob).Hidden, true)
	equal(t, "unread stays", f.entry(c, bob).Unread, int64(1))
	equal(t, "not to the other", f.entry(c, ann).Hidden, false)
	_, err := f.svc.React(ctx, ann.ID, sent.MessageID, "👍")
	must(t, err)
	_, err = f.svc.UpdateMember(ctx, bob.ID, c.ID, bob.ID, chat.MemberChange{Muted: new(true)})
	must(t, err)
	equalSlices(t, "listed after a reaction", listed(), []string{other.ID})
	f.send(c, ann, "again")
	equalSlices(t, "listed after a message", listed(), []string{c.ID, other.ID})
	equal(t, "not hidden", f.entry(c, bob).Hidden, false)
	hide(true)
	hide(false)
	equalSlices(t, "listed", listed(), []string{c.ID, other.ID})
	hide(true)
	f.send(c, bob, "by oneself")
	equal(t, "one's own message counts", f.entry(c, bob).Hidden, false)
}

// testHiddenRace: whatever a chat is hidden beside, the next message brings it back.
func testHiddenRace(t *testing.T, f *fixture) {
	ann, bob := f.user("ann"), f.user("bob")
	c := f.direct(ann, bob)
	for range 10 {
		var both sync.WaitGroup
		both.Go(func() {
			_, err := f.svc.UpdateMember(t.Context(), bob.ID, c.ID, bob.ID, chat.MemberChange{Hidden: new(true)})
			fine(t, err)
		})
		both.Go(func() {
			_, err := f.svc.Send(t.Context(), chat.Send{ChatID: c.ID, SenderID: ann.ID, Key: NewID(), Body: "beside"})
			fine(t, err)
		})
		both.Wait()
		f.send(c, ann, "after")
		equal(t, "hidden after a message", f.entry(c, bob).Hidden, false)
	}
}
