package persistencetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"fechatter/chat"
)

// testManyInviteOne: eight people make sixty groups with the same one at the same time,
// before and after the inbox is full. All of it works.
func testManyInviteOne(t *testing.T, f *fixture) {
	const creators, groups = 8, 60
	ctx := t.Context()
	svc := Limited(f.store, chat.Limits{ChatMembers: 100, ChatsPerUser: 1000, Requests: 3})
	for n, tc := range []struct {
		what                string
		acquainted          bool
		before              int // groups made one after another
		admitted, requested int
	}{
		{"strangers", false, 0, 0, 3}, {"strangers, a full inbox", false, 3, 0, 3},
		{"acquaintances", true, 0, 3, 3}, {"acquaintances, a full inbox", true, 6, 3, 3},
	} {
		name := fmt.Sprintf("case%d-", n)
		victim := f.user(name + "victim")
		makers := make([]chat.User, creators)
		for i := range makers {
			makers[i] = f.user(fmt.Sprint(name, i))
		}
		common := 0
		if tc.acquainted {
			_, err := svc.Accept(ctx, victim.ID, f.group(append([]chat.User{makers[0], victim}, makers[1:]...)...).ID)
			must(t, err)
			common = 1
		}
		invite := func(i int) error {
			_, created, err := svc.CreateChat(ctx, makers[i%creators].ID, chat.NewChat{Kind: chat.Private, Name: "n", MemberIDs: []string{victim.ID}})
			if err == nil && !created {
				err = fmt.Errorf("group %d is another one", i)
			}
			return err
		}
		for i := range tc.before {
			must(t, invite(i))
		}
		var all errgroup.Group
		all.SetLimit(creators)
		for i := range groups {
			all.Go(func() error { return invite(i) })
		}
		must(t, all.Wait())
		ids, err := svc.ChatIDs(ctx, victim.ID)
		must(t, err)
		equal(t, tc.what+": requests", len(f.requests(victim)), tc.requested)
		equal(t, tc.what+": chats", len(ids), common+tc.admitted+tc.requested)
		joined, left := f.told(victim)
		made := common + tc.before + groups
		equal(t, tc.what+": told to have joined", len(joined), made)
		equal(t, tc.what+": told to have left", len(left), made-len(ids))
		equal(t, tc.what+": left more than once", len(slices.Compact(slices.Sorted(slices.Values(left)))), len(left))
	}
}

// told returns the chats of which a user was told that they joined and left them.
func (f *fixture) told(u chat.User) (joined, left []string) {
	for _, e := range f.published.of(u.ID) {
		switch d := e.D.(type) {
		case chat.ChatJoined:
			joined = append(joined, d.ChatID)
		case chat.ChatLeft:
			left = append(left, d.ChatID)
		}
	}
	return joined, left
}

// testOwnChatsLimit: who has as many chats as they may uses no request, however they try.
func testOwnChatsLimit(t *testing.T, f *fixture) {
	few, ctx := f.few(), t.Context()
	ann, bob := f.user("ann"), f.user("bob")
	first, second, third := f.group(ann, bob), f.group(ann, bob), f.direct(ann, bob)
	sent := f.send(first, ann, "hello")
	write := func(c chat.Chat, key string) error {
		_, err := few.Send(ctx, chat.Send{ChatID: c.ID, SenderID: bob.ID, Key: key, Body: "hello"})
		return err
	}
	for range 3 {
		f.group(bob)
	}
	must(t, write(second, "last"))
	must(t, write(second, "own"))
	for _, c := range []chat.Chat{first, third} {
		refused(t, write(c, "full"), chat.Conflict)
	}
	_, err := few.React(ctx, bob.ID, sent.MessageID, "👍")
	refused(t, err, chat.Conflict)
	equal(t, "the last event", f.entry(first, ann).LastSeq, sent.Seq)
	equalSlices(t, "still requests", f.requests(bob), []string{first.ID, third.ID})
	must(t, write(second, "last")) // a replay
	_, err = f.svc.RemoveMember(ctx, bob.ID, third.ID, bob.ID)
	must(t, err)
	_, _, err = few.CreateChat(ctx, bob.ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{ann.ID}})
	refused(t, err, chat.Conflict)
	_, err = f.svc.RemoveMember(ctx, bob.ID, second.ID, bob.ID)
	must(t, err)
	must(t, write(first, "full")) // there is a place now
}

// testOwnChatsRace: somebody writes, reacts, accepts and makes chats at once, with one
// place left: they get that, and no more.
func testOwnChatsRace(t *testing.T, f *fixture) {
	few, ctx := f.few(), t.Context()
	ann := f.user("ann")
	for round := range 6 {
		bob := f.user(fmt.Sprint("bob", round))
		for range 3 {
			f.group(bob)
		}
		var open []chat.Chat
		var last chat.Sent
		for range 8 {
			c := f.group(ann, bob)
			open, last = append(open, c), f.send(c, ann, "hello")
		}
		var all sync.WaitGroup
		results := make([]error, len(open))
		for i, c := range open {
			all.Go(func() {
				switch i {
				case 5:
					_, _, results[i] = few.CreateChat(ctx, bob.ID, chat.NewChat{Kind: chat.Group})
				case 6:
					_, results[i] = few.Accept(ctx, bob.ID, c.ID)
				case 7:
					_, results[i] = few.React(ctx, bob.ID, last.MessageID, "👍")
				default:
					_, results[i] = few.Send(ctx, chat.Send{ChatID: c.ID, SenderID: bob.ID, Key: NewID(), Body: "hello"})
				}
			})
		}
		all.Wait()
		done := 0
		for _, err := range results {
			if err == nil {
				done++
				continue
			}
			refused(t, err, chat.Conflict)
		}
		equal(t, "acts that used the last place", done, 1)
	}
}
