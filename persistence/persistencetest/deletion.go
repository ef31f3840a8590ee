package persistencetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"fechatter/chat"
)

// delete lets an administrator delete a chat.
func (f *fixture) delete(c chat.Chat) {
	f.t.Helper()
	must(f.t, f.svc.DeleteChat(f.t.Context(), chat.ByOperator(), c.ID))
}

// testDeletion: the members lose the chat at once, and nothing of it is left in the end.
func testDeletion(t *testing.T, f *fixture) {
	ctx := t.Context()
	root, ann, bob := f.user("root"), f.user("ann"), f.user("bob")
	c, kept := f.direct(ann, bob), f.group(ann, bob)
	var ids []string
	for i := range 450 {
		ids = append(ids, f.send(c, []chat.User{ann, bob}[i%2], "@ann hello").MessageID)
	}
	stays := f.send(kept, ann, "@bob hello")
	for _, id := range []string{ids[0], stays.MessageID} {
		_, err := f.svc.React(ctx, bob.ID, id, "👍")
		must(t, err)
	}
	refused(t, f.svc.DeleteChat(ctx, chat.ByUser(ann.ID), c.ID), chat.Forbidden)
	refused(t, f.svc.DeleteChat(ctx, chat.ByUser(root.ID), NewID()), chat.NotFound)
	refused(t, f.svc.DeleteChat(ctx, chat.ByUser(root.ID), "nonsense"), chat.NotFound)
	must(t, f.svc.DeleteChat(ctx, chat.ByUser(root.ID), c.ID))
	refused(t, f.svc.DeleteChat(ctx, chat.ByUser(root.ID), c.ID), chat.NotFound)

	last := f.log(c.ID)[len(f.log(c.ID))-1]
	equal(t, "the last event", last.Op, chat.OpChatDeleted)
	_, err := f.svc.Entry(ctx, ann.ID, c.ID)
	refused(t, err, chat.NotFound)
	_, err = f.svc.Message(ctx, ann.ID, ids[0])
	refused(t, err, chat.NotFound)
	_, err = f.svc.Send(ctx, chat.Send{ChatID: c.ID, SenderID: ann.ID, Key: NewID(), Body: "x"})
	refused(t, err, chat.NotFound)
	other := f.direct(ann, bob)
	equal(t, "the pair begins another chat", other.ID != c.ID, true)
	retentions, _, err := f.svc.Retentions(ctx, chat.ByOperator(), "", chat.Page{Limit: 10})
	must(t, err)
	equal(t, "chats that administrators see", len(retentions), 2)

	_, err = f.svc.Purge(ctx, chat.PurgeAfter)
	must(t, err)
	for _, u := range []chat.User{ann, bob} {
		told := f.published.of(u.ID)
		left, ok := told[len(told)-1].D.(chat.ChatLeft)
		equal(t, "told at once", ok && left.ChatID == c.ID && left.Seq == last.Seq, true)
	}
	equal(t, "its log stays for a while", len(f.log(c.ID)) > 0, true)
	purged, err := f.svc.Purge(ctx, 0)
	must(t, err)
	equal(t, "purged", purged, 1)
	equal(t, "its log", len(f.log(c.ID)), 0)
	_, _, err = f.svc.PlaceOf(ctx, chat.ByOperator(), ids[449])
	refused(t, err, chat.NotFound)
	_, positions, err := f.store.Positions(ctx, []string{c.ID, kept.ID})
	must(t, err)
	equal(t, "streams", len(positions), 1)
	purged, err = f.svc.Purge(ctx, 0)
	must(t, err)
	equal(t, "purged again", purged, 0)

	m, err := f.svc.Message(ctx, ann.ID, stays.MessageID)
	must(t, err)
	equal(t, "others keep their reactions", len(m.Reactions), 1)
	equal(t, "and mentions", f.entry(kept, bob).Mentions, int64(1))
	f.leavesIndex(ids)
	equalSlices(t, "audited", f.audited(), []chat.Action{chat.AuditAppointed, chat.AuditChatDeleted})
}

// leavesIndex fails unless the outbox says that none of the messages is to be found.
func (f *fixture) leavesIndex(ids []string) {
	f.t.Helper()
	lease := chat.Lease{Name: "index", Holder: "test"}
	_, err := f.store.AcquireLease(f.t.Context(), lease, chat.PurgeAfter)
	must(f.t, err)
	entries, _, err := f.store.PendingIndex(f.t.Context(), lease, 10_000)
	must(f.t, err)
	gone := 0
	for _, e := range entries {
		if slices.Contains(ids, e.MessageID) && e.Message == nil {
			gone++
		}
	}
	equal(f.t, "messages to take out of the index", gone, len(ids))
}

// testDeletionGoesOn: a node that dies while it tells people or removes rows leaves the rest to
// its next start, or to another one.
func testDeletionGoesOn(t *testing.T, f *fixture) {
	ctx := t.Context()
	people := f.users("ann", "bob", "cat")
	c, kept := f.group(people...), f.group(people...)
	var ids []string
	for range 30 {
		ids = append(ids, f.send(c, people[0], "@all hello").MessageID)
	}
	stays := f.send(kept, people[0], "hello")
	f.delete(c)
	_, err := f.store.Farewell(ctx, c.ID, 1)
	must(t, err)
	untold, err := f.store.UntoldChat(ctx)
	must(t, err)
	equal(t, "somebody is still to be told", untold, c.ID)
	_, err = f.svc.Purge(ctx, chat.PurgeAfter)
	must(t, err)
	for _, u := range people {
		told := f.published.of(u.ID)
		left, ok := told[len(told)-1].D.(chat.ChatLeft)
		equal(t, u.Username+" was told", ok && left.ChatID == c.ID, true)
	}
	for part := 0; ; part++ { // the node may die after any of them
		log, other := len(f.log(c.ID)), len(f.log(kept.ID))
		done, err := f.store.PurgeChat(ctx, c.ID, 7)
		must(t, err)
		found, err := f.store.DeletedChat(ctx, 0)
		must(t, err)
		if done {
			t.Fatal("the chat is gone before its end was tried")
		}
		equal(t, fmt.Sprint("what a start finds after part ", part), found, c.ID)
		equal(t, "the log of another chat", len(f.log(kept.ID)), other)
		if log > len(f.log(c.ID)) {
			break // within the log
		}
	}
	purged, err := Limited(f.store, chat.DefaultLimits()).Purge(ctx, 0)
	must(t, err)
	equal(t, "purged by another node", purged, 1)
	equal(t, "its log", len(f.log(c.ID)), 0)
	found, err := f.store.DeletedChat(ctx, 0)
	must(t, err)
	equal(t, "what a start finds in the end", found, "")
	f.leavesIndex(ids)
	_, err = f.svc.Message(ctx, people[0].ID, stays.MessageID)
	must(t, err)
}

// testDeletionOfMany: everybody is told, each once, by however many nodes.
func testDeletionOfMany(t *testing.T, f *fixture) {
	root := f.user("root")
	c, _, err := f.svc.CreateChat(t.Context(), root.ID, chat.NewChat{Kind: chat.Public, Name: "many"})
	must(t, err)
	people := []chat.User{root}
	for i := range 250 {
		u := f.user(fmt.Sprint("user", i))
		_, err := f.svc.Join(t.Context(), u.ID, c.ID)
		must(t, err)
		people = append(people, u)
	}
	f.delete(c)
	var nodes sync.WaitGroup
	for range 3 {
		nodes.Go(func() {
			_, err := f.svc.Purge(t.Context(), 0)
			fine(t, err)
		})
	}
	nodes.Wait()
	for _, u := range people {
		told := f.published.of(u.ID)
		equal(t, "events of "+u.Username, len(told), 2)
		equal(t, "the last of "+u.Username, told[len(told)-1].Op, chat.OpChatLeft)
	}
}

// testDeletionRace: whatever happens beside a deletion, nobody is in the chat after it.
func testDeletionRace(t *testing.T, f *fixture) {
	ctx := t.Context()
	ann, bob, cat := f.user("ann"), f.user("bob"), f.user("cat")
	for range 6 {
		c := f.group(ann, bob)
		var all sync.WaitGroup
		for _, act := range []func() error{
			func() error { _, err := f.svc.Accept(ctx, bob.ID, c.ID); return err },
			func() error { _, _, err := f.svc.AddMember(ctx, ann.ID, c.ID, cat.ID, ""); return err },
			func() error {
				_, err := f.svc.Send(ctx, chat.Send{ChatID: c.ID, SenderID: ann.ID, Key: NewID(), Body: "x"})
				return err
			},
			func() error { _, err := f.svc.RemoveMember(ctx, bob.ID, c.ID, bob.ID); return err },
			func() error { return f.svc.DeleteChat(ctx, chat.ByOperator(), c.ID) },
		} {
			all.Go(func() {
				if err := act(); err != nil {
					refused(t, err, chat.NotFound)
				}
			})
		}
		all.Wait()
		for _, u := range []chat.User{ann, bob, cat} {
			_, err := f.svc.Entry(ctx, u.ID, c.ID)
			refused(t, err, chat.NotFound)
		}
		events := f.log(c.ID)
		equal(t, "the last event", events[len(events)-1].Op, chat.OpChatDeleted)
		_, err := f.svc.Purge(ctx, 0)
		must(t, err)
		equal(t, "events left", len(f.log(c.ID)), 0)
	}
}
