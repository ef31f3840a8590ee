package persistencetest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"fechatter/chat"
)

func testChats(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	c := f.group(people...)
	equal(t, "members", c.MemberCount, 3)
	equalSlices(t, "member ids", c.MemberIDs, mapTo(people, func(u chat.User) string { return u.ID }))
	events := f.log(c.ID)
	equalSlices(t, "events", mapTo(events, func(e chat.Event) chat.Op { return e.Op }),
		[]chat.Op{chat.OpChatCreated, chat.OpMemberAdded, chat.OpMemberAdded, chat.OpMemberAdded})
	equal(t, "subject", events[2].Subject == people[1].ID || events[2].Subject == people[2].ID, true)
	_, err := f.svc.UpdateChat(f.t.Context(), people[1].ID, c.ID, chat.ChatChange{Name: new("x")})
	refused(t, err, chat.Forbidden)
	changed, err := f.svc.UpdateChat(f.t.Context(), people[0].ID, c.ID, chat.ChatChange{Name: new("Team"), Topic: new("work")})
	must(t, err)
	equal(t, "name", changed.Name, "Team")
	again, err := f.svc.UpdateChat(f.t.Context(), people[0].ID, c.ID, chat.ChatChange{Name: new("Team")})
	must(t, err)
	equal(t, "topic", again.Topic, "work")
	equal(t, "events after one change and one that changed nothing", len(f.log(c.ID)), 5)
	_, _, err = f.svc.CreateChat(f.t.Context(), people[0].ID, chat.NewChat{Kind: chat.Group, MemberIDs: []string{NewID()}})
	refused(t, err, chat.NotFound)
	ids, err := f.store.ChatIDs(f.t.Context(), people[0].ID)
	must(t, err)
	equalSlices(t, "a refused creation leaves nothing", ids, []string{c.ID})
}

func testCreationKey(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	n := chat.NewChat{Kind: chat.Private, Name: "plans", MemberIDs: []string{people[1].ID}, Key: "k1"}
	first, created, err := f.svc.CreateChat(f.t.Context(), people[0].ID, n)
	must(t, err)
	equal(t, "created", created, true)
	again, created, err := f.svc.CreateChat(f.t.Context(), people[0].ID, n)
	must(t, err)
	equal(t, "created again", created, false)
	equal(t, "the same chat", again.ID, first.ID)
	n.Name = "other"
	_, _, err = f.svc.CreateChat(f.t.Context(), people[0].ID, n)
	refused(t, err, chat.KeyReused)
	_, created, err = f.svc.CreateChat(f.t.Context(), people[1].ID, chat.NewChat{Kind: chat.Public, Name: "bobs", Key: "k1"})
	must(t, err)
	equal(t, "another creator's key is another", created, true)
}

func testDirect(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	n := chat.NewChat{Kind: chat.Direct, MemberIDs: []string{people[1].ID}}
	c, created, err := f.svc.CreateChat(f.t.Context(), people[0].ID, n)
	must(t, err)
	equal(t, "created", created, true)
	same, created, err := f.svc.CreateChat(f.t.Context(), people[1].ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{people[0].ID}})
	must(t, err)
	equal(t, "created from the other side", created, false)
	equal(t, "one chat per pair", same.ID, c.ID)
	_, _, err = f.svc.AddMember(f.t.Context(), people[0].ID, c.ID, people[2].ID, "")
	refused(t, err, chat.Conflict)
	_, err = f.svc.RemoveMember(f.t.Context(), people[0].ID, c.ID, people[0].ID)
	refused(t, err, chat.Conflict)
}

// testDirectRace has both sides of several pairs begin at once.
func testDirectRace(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat", "dan")
	type try struct{ pair, id string }
	results := make(chan try, 200)
	var all sync.WaitGroup
	for _, a := range people {
		for _, b := range people {
			if a.ID == b.ID {
				continue
			}
			for range 3 {
				all.Go(func() {
					c, _, err := f.svc.CreateChat(f.t.Context(), a.ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{b.ID}})
					if err != nil {
						t.Error(err)
					}
					results <- try{chat.DirectKey(a.ID, b.ID), c.ID}
				})
			}
		}
	}
	all.Wait()
	close(results)
	ids := map[string]string{}
	for r := range results {
		if ids[r.pair] == "" {
			ids[r.pair] = r.id
		}
		equal(t, "chat of "+r.pair, r.id, ids[r.pair])
	}
	equal(t, "chats", len(ids), 6)
}

func testPublic(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	names := []string{"alpha", "Beta 100%", "gamma", "delta", "beta 1000"}
	made := map[string]chat.Chat{}
	for _, name := range names {
		c, _, err := f.svc.CreateChat(f.t.Context(), people[0].ID, chat.NewChat{Kind: chat.Public, Name: name})
		must(t, err)
		made[name] = c
	}
	f.group(people...)
	browse := func(u chat.User, q string) []string {
		list := pages(t, func(p chat.Page) ([]chat.PublicChat, string, error) {
			return f.svc.PublicChats(f.t.Context(), u.ID, q, p)
		})
		return mapTo(list, func(c chat.PublicChat) string { return fmt.Sprint(c.Name, " ", c.Members, " ", c.Joined) })
	}
	equalSlices(t, "by name", browse(people[1], ""),
		[]string{"alpha 1 false", "Beta 100% 1 false", "beta 1000 1 false", "delta 1 false", "gamma 1 false"})
	equalSlices(t, "by part of a name", browse(people[1], "A 100%"), []string{"Beta 100% 1 false"})
	for range 2 {
		e, err := f.svc.Join(f.t.Context(), people[1].ID, made["alpha"].ID)
		must(t, err)
		equal(t, "members", e.MemberCount, 2)
	}
	_, err := f.svc.UpdateChat(f.t.Context(), people[0].ID, made["gamma"].ID, chat.ChatChange{Archived: new(true)})
	must(t, err)
	equalSlices(t, "joined and archived", browse(people[1], ""),
		[]string{"alpha 2 true", "Beta 100% 1 false", "beta 1000 1 false", "delta 1 false"})
	_, err = f.svc.Join(f.t.Context(), people[1].ID, made["gamma"].ID)
	refused(t, err, chat.Conflict)
}

func testEntries(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	quiet, busy := f.group(people[:2]...), f.group(people...)
	f.send(busy, people[0], "first")
	f.send(busy, people[1], strings.Repeat("ü", chat.LastMessageRunes+50))
	e := f.entry(busy, people[0])
	equal(t, "unread", e.Unread, 1)
	equal(t, "role", e.Role, chat.RoleOwner)
	equal(t, "last seq", e.LastSeq, 6)
	equal(t, "read seq", e.ReadSeq, 5)
	equal(t, "delivered seq", e.DeliveredSeq, 5)
	equal(t, "added seq", e.AddedSeq, 2)
	equal(t, "last message", e.LastMessage.Body, strings.Repeat("ü", chat.LastMessageRunes))
	equal(t, "no message", f.entry(quiet, people[0]).LastMessage == nil, true)
	equal(t, "no reactions", e.LastMessage.Reactions != nil && len(e.LastMessage.Reactions) == 0, true)
	page, err := f.svc.AllEntries(f.t.Context(), people[0].ID)
	must(t, err)
	equalSlices(t, "newest activity first", mapTo(page.Entries, func(e chat.Entry) string { return e.ID }), []string{busy.ID, quiet.ID})
	if page.Epoch == "" || page.Horizon == 0 {
		t.Errorf("epoch %q, horizon %d", page.Epoch, page.Horizon)
	}
	page, err = f.svc.AllEntries(f.t.Context(), f.user("dan").ID)
	must(t, err)
	equal(t, "entries of a newcomer", len(page.Entries), 0)
	_, err = f.store.Entry(f.t.Context(), people[2].ID, quiet.ID)
	refused(t, err, chat.NotFound)
	_, err = f.store.Chat(f.t.Context(), people[2].ID, quiet.ID)
	refused(t, err, chat.NotFound)
}

// testLastReactions: the newest message of each chat comes with its reactions, as the
// reader sees them.
func testLastReactions(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	chats := []chat.Chat{f.group(people...), f.group(people...), f.group(people...)}
	for i, c := range chats {
		f.send(c, people[0], "earlier")
		last := f.send(c, people[0], "last")
		for _, u := range people[:i] {
			_, err := f.svc.React(f.t.Context(), u.ID, last.MessageID, "👍")
			must(t, err)
		}
	}
	reactions := func(e chat.Entry) string {
		var all strings.Builder
		for _, r := range e.LastMessage.Reactions {
			fmt.Fprint(&all, r.Emoji, r.Count, " ", len(r.UserIDs), r.Me)
		}
		return all.String()
	}
	page, err := f.svc.AllEntries(f.t.Context(), people[1].ID)
	must(t, err)
	equalSlices(t, "newest activity first", mapTo(page.Entries, reactions), []string{"👍2 2 true", "👍1 1 false", ""})
	equal(t, "alone", reactions(f.entry(chats[2], people[0])), "👍2 2 true")
}

// testEmojiSpelling: with and without U+FE0F an emoji is the same, and stays as it was
// spelled first.
func testEmojiSpelling(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	ann, bob := people[0], people[1]
	m := f.send(f.group(people...), ann, "x").MessageID
	for _, first := range []string{"❤️", "❤"} {
		for _, react := range []struct {
			user    chat.User
			emoji   string
			changes bool
		}{{ann, first, true}, {bob, "❤", true}, {bob, "❤️", false}} {
			seq, err := f.svc.React(f.t.Context(), react.user.ID, m, react.emoji)
			must(t, err)
			equal(t, "something changed", seq != 0, react.changes)
		}
		seen, err := f.store.Message(f.t.Context(), bob.ID, m)
		must(t, err)
		equalSlices(t, "as it was spelled first", mapTo(seen.Reactions, func(r chat.Reaction) string { return r.Emoji }), []string{first})
		for _, emoji := range []string{"❤️", "❤"} {
			who, _, err := f.svc.Reactors(f.t.Context(), bob.ID, m, emoji, chat.Page{Limit: 10})
			must(t, err)
			equalSlices(t, "who reacted with "+emoji, who, []string{ann.ID, bob.ID})
		}
		for user, emoji := range map[string]string{ann.ID: "❤️", bob.ID: "❤"} {
			seq, err := f.svc.Unreact(f.t.Context(), user, m, emoji)
			must(t, err)
			equal(t, "removed", seq != 0, true)
		}
	}
}

func testEntryPages(t *testing.T, f *fixture) {
	ann := f.user("ann")
	for range 7 {
		f.group(ann)
	}
	all, err := f.store.AllEntries(f.t.Context(), ann.ID)
	must(t, err)
	id := func(e chat.Entry) string { return e.ID }
	list := pages(t, func(p chat.Page) ([]chat.Entry, string, error) {
		page, err := f.store.Entries(f.t.Context(), ann.ID, p)
		return page.Entries, page.Next, err
	})
	equal(t, "entries", len(list), 7)
	equalSlices(t, "pages are the whole", mapTo(list, id), mapTo(all.Entries, id))
}
