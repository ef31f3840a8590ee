package persistencetest

import (
	"fmt"
	"sync"
	"testing"

	"fechatter/chat"
)

func testBlocks(t *testing.T, f *fixture) {
	ctx := t.Context()
	people := f.users("ann", "bob", "cat", "dan")
	ann, bob, cat := people[0], people[1], people[2]
	group, direct := f.group(people...), f.direct(ann, bob)
	last := f.send(direct, bob, "hello")
	mine := f.send(direct, ann, "hello")
	for range 2 {
		must(t, f.svc.Block(ctx, ann.ID, bob.ID))
	}
	must(t, f.svc.Block(ctx, ann.ID, cat.ID))
	refused(t, f.svc.Block(ctx, ann.ID, NewID()), chat.NotFound)
	blocked := func(u chat.User) []string {
		list := pages(t, func(p chat.Page) ([]chat.User, string, error) { return f.svc.Blocked(ctx, u.ID, p) })
		return mapTo(list, func(u chat.User) string { return u.Username })
	}
	equalSlices(t, "blocked", blocked(ann), []string{"bob", "cat"})
	equalSlices(t, "blocked by bob", blocked(bob), nil)
	ids, err := f.svc.BlockedIDs(ctx, ann.ID)
	must(t, err)
	equal(t, "ids", len(ids), 2)
	try := map[string]func() error{
		"open the direct chat": func() error {
			_, _, err := f.svc.CreateChat(ctx, bob.ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{ann.ID}})
			return err
		},
		"open another": func() error {
			_, _, err := f.svc.CreateChat(ctx, cat.ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{ann.ID}})
			return err
		},
		"make a group": func() error {
			_, _, err := f.svc.CreateChat(ctx, bob.ID, chat.NewChat{Kind: chat.Group, MemberIDs: []string{people[3].ID, ann.ID}})
			return err
		},
		"add": func() error {
			own, _, err := f.svc.CreateChat(ctx, bob.ID, chat.NewChat{Kind: chat.Public, Name: "bob's"})
			must(t, err)
			_, _, err = f.svc.AddMember(ctx, bob.ID, own.ID, ann.ID, "")
			return err
		},
		"send": func() error {
			_, err := f.svc.Send(ctx, chat.Send{ChatID: direct.ID, SenderID: bob.ID, Key: NewID(), Body: "x"})
			return err
		},
		"edit":  func() error { _, _, err := f.svc.Edit(ctx, bob.ID, last.MessageID, "x", 1); return err },
		"react": func() error { _, err := f.svc.React(ctx, bob.ID, mine.MessageID, "👍"); return err },
	}
	for what, fn := range try {
		if err := fn(); chat.CodeOf(err) != chat.Forbidden || fmt.Sprint(err) != fmt.Sprint(try["send"]()) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	_, err = f.svc.Send(ctx, chat.Send{ChatID: direct.ID, SenderID: ann.ID, Key: NewID(), Body: "x"})
	refused(t, err, chat.Conflict)
	f.send(group, bob, "in a group all goes on")
	_, err = f.svc.Delete(ctx, bob.ID, last.MessageID)
	must(t, err)
	for range 2 {
		must(t, f.svc.Unblock(ctx, ann.ID, bob.ID))
	}
	must(t, f.svc.Unblock(ctx, ann.ID, NewID()))
	f.send(direct, bob, "again")
	f.send(direct, ann, "again")
	equal(t, "opened by who was blocked", f.direct(bob, ann).ID, direct.ID)
	var told []string
	for _, e := range f.published.of(ann.ID) {
		if d, ok := e.D.(chat.BlockChanged); ok {
			told = append(told, fmt.Sprint(e.Op, " ", d.UserID == bob.ID))
		}
	}
	equalSlices(t, "told", told, []string{"block.added true", "block.added false", "block.removed true"})
}

// testBlockedPresence: who is blocked still sees, and is not seen.
func testBlockedPresence(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	ann, bob := people[0], people[1]
	f.group(people...)
	must(t, f.svc.Block(t.Context(), ann.ID, bob.ID))
	equalSlices(t, "ann sees", f.visible(ann, people...), userIDs([]chat.User{ann, people[2]}))
	equalSlices(t, "bob, who is blocked, sees", f.visible(bob, people...), userIDs(people[1:]))
	must(t, f.svc.Unblock(t.Context(), ann.ID, bob.ID))
	equalSlices(t, "bob sees again", f.visible(bob, people...), userIDs(people))
	equalSlices(t, "ann sees again", f.visible(ann, people...), userIDs(people))
}

// testBlockedMentions: mentions by who is blocked do not count, whatever counts them.
func testBlockedMentions(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	ann, bob, cat := people[0], people[1], people[2]
	c := f.group(people...)
	f.send(c, bob, "@ann")
	f.send(c, bob, "@all")
	f.send(c, cat, "@ann")
	f.send(c, cat, "@all")
	count := func(want int64) {
		t.Helper()
		equal(t, "mentions", f.entry(c, ann).Mentions, want)
		moved, err := f.svc.SetCursor(t.Context(), ann.ID, c.ID, chat.CursorChange{ReadSeq: new(int64(0))})
		must(t, err)
		equal(t, "mentions beside the cursor", moved.Mentions, want)
	}
	count(4)
	must(t, f.svc.Block(t.Context(), ann.ID, bob.ID))
	count(2)
	equal(t, "another's mentions", f.entry(c, bob).Mentions, 1)
	must(t, f.svc.Unblock(t.Context(), ann.ID, bob.ID))
	count(4)
}

// testBlockRace: once a block has returned, nothing of theirs comes any more.
func testBlockRace(t *testing.T, f *fixture) {
	ctx := t.Context()
	for round := range 6 {
		names := []string{fmt.Sprint("ann", round), fmt.Sprint("bob", round)}
		people := f.users(names...)
		ann, bob := people[0], people[1]
		var direct chat.Chat
		if round%2 == 0 {
			direct = f.direct(ann, bob)
		}
		var busy sync.WaitGroup
		stop := make(chan struct{})
		attempt := func(fn func() error) {
			busy.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					switch err := fn(); chat.CodeOf(err) {
					case "", chat.Forbidden, chat.Conflict:
					default:
						t.Error(err)
						return
					}
				}
			})
		}
		if direct.ID != "" {
			attempt(func() error {
				_, err := f.svc.Send(ctx, chat.Send{ChatID: direct.ID, SenderID: bob.ID, Key: NewID(), Body: "x"})
				return err
			})
		} else {
			attempt(func() error {
				_, _, err := f.svc.CreateChat(ctx, bob.ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{ann.ID}})
				return err
			})
		}
		attempt(func() error {
			_, _, err := f.svc.CreateChat(ctx, bob.ID, chat.NewChat{Kind: chat.Group, MemberIDs: []string{ann.ID}})
			return err
		})
		must(t, f.svc.Block(ctx, ann.ID, bob.ID))
		then, _, err := f.svc.LastSeqs(ctx, ann.ID)
		must(t, err)
		close(stop)
		busy.Wait()
		now, _, err := f.svc.LastSeqs(ctx, ann.ID)
		must(t, err)
		equal(t, "chats after the block", len(now), len(then))
		equal(t, "the direct chat after the block", now[direct.ID], then[direct.ID])
	}
}
