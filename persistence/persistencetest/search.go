package persistencetest

import (
	"slices"
	"testing"
	"time"

	"fechatter/chat"
)

// lead acquires the lease under which the outbox is read.
func (f *fixture) lead() chat.Lease {
	f.t.Helper()
	l := chat.Lease{Name: "index", Holder: "a"}
	held, err := f.store.AcquireLease(f.t.Context(), l, time.Hour)
	must(f.t, err)
	equal(f.t, "the lease is held", held, true)
	return l
}

func (f *fixture) pending(l chat.Lease, limit int) []chat.IndexEntry {
	f.t.Helper()
	entries, held, err := f.store.PendingIndex(f.t.Context(), l, limit)
	must(f.t, err)
	equal(f.t, "the lease is held", held, true)
	return entries
}

// done takes entries out of the outbox and returns the position after them.
func (f *fixture) done(l chat.Lease, entries []chat.IndexEntry) (position string) {
	f.t.Helper()
	position, held, err := f.store.IndexDone(f.t.Context(), l, entries)
	must(f.t, err)
	equal(f.t, "the lease is held", held, true)
	return position
}

func testOutbox(t *testing.T, f *fixture) {
	ann := f.user("ann")
	c, l := f.group(ann), f.lead()
	first, second, third := f.send(c, ann, "one"), f.send(c, ann, "two"), f.send(c, ann, "three")
	_, _, err := f.svc.Edit(t.Context(), ann.ID, second.MessageID, "two again", 1)
	must(t, err)
	_, err = f.svc.Delete(t.Context(), ann.ID, third.MessageID)
	must(t, err)

	read := f.pending(l, 10)
	equalSlices(t, "waiting, the oldest first", mapTo(read, func(e chat.IndexEntry) string { return e.MessageID }),
		[]string{first.MessageID, second.MessageID, third.MessageID})
	equal(t, "the message as it is now", read[1].Message.Body, "two again")
	equal(t, "its version", read[1].Version, 2)
	equal(t, "a deleted message", read[2].Message, nil)
	equal(t, "a part", len(f.pending(l, 2)), 2)

	_, _, err = f.svc.Edit(t.Context(), ann.ID, first.MessageID, "changed while it was indexed", 1)
	must(t, err)
	f.done(l, read)
	left := f.pending(l, 10)
	equal(t, "left", len(left), 1)
	equal(t, "of a later version", left[0].Version, 2)
	f.done(l, left)
	equal(t, "all done", len(f.pending(l, 10)), 0)
	b, err := f.store.IndexBacklog(t.Context())
	must(t, err)
	equal(t, "the backlog", b, chat.IndexBacklog{})
}

func testOutboxRefusals(t *testing.T, f *fixture) {
	ann := f.user("ann")
	c, l := f.group(ann), f.lead()
	poison, sound := f.send(c, ann, "poison"), f.send(c, ann, "sound")
	read := f.pending(l, 10)
	must(t, f.store.IndexRefused(t.Context(), read[0], "it is poison"))
	equal(t, "waiting", f.pending(l, 10)[0].MessageID, sound.MessageID)
	b, err := f.store.IndexBacklog(t.Context())
	must(t, err)
	equal(t, "waiting", b.Waiting, 1)
	equal(t, "refused", b.Refused, 1)
	_, _, err = f.svc.Edit(t.Context(), ann.ID, poison.MessageID, "cured", 1)
	must(t, err)
	equal(t, "an edit is tried", len(f.pending(l, 10)), 2)
	must(t, f.store.IndexRefused(t.Context(), read[0], "late")) // of the version before
	equal(t, "an old refusal", len(f.pending(l, 10)), 2)
	unknown := NewID()
	queued, err := f.store.QueueIndex(t.Context(), []string{poison.MessageID, unknown})
	must(t, err)
	equal(t, "newly queued", queued, 1)
	waiting := f.pending(l, 10)
	equal(t, "queued anew", len(waiting), 3)
	for _, e := range waiting {
		if e.MessageID == unknown && e.Message != nil {
			t.Error("a message that does not exist has content")
		}
		must(t, f.store.IndexRefused(t.Context(), e, "it is poison"))
	}
	queued, err = f.store.QueueIndex(t.Context(), []string{poison.MessageID, unknown})
	must(t, err)
	equal(t, "newly queued", queued, 0)
	equal(t, "what is refused stays so", len(f.pending(l, 10)), 0)
	must(t, f.store.RetryRefused(t.Context()))
	equal(t, "all are tried again", len(f.pending(l, 10)), 3)
}

func testLeases(t *testing.T, f *fixture) {
	a, b := chat.Lease{Name: "index", Holder: "a"}, chat.Lease{Name: "index", Holder: "b"}
	acquire := func(l chat.Lease, ttl time.Duration, want bool) {
		t.Helper()
		held, err := f.store.AcquireLease(t.Context(), l, ttl)
		must(t, err)
		equal(t, l.Holder+" has the lease", held, want)
	}
	acquire(a, time.Hour, true)
	acquire(b, time.Hour, false)
	acquire(a, time.Hour, true) // renewed
	_, held, err := f.store.PendingIndex(t.Context(), b, 1)
	must(t, err)
	equal(t, "read without the lease", held, false)
	must(t, f.store.ReleaseLease(t.Context(), b)) // which b does not have
	acquire(b, time.Hour, false)
	must(t, f.store.ReleaseLease(t.Context(), a))
	acquire(b, -time.Second, true) // runs out at once
	_, held, err = f.store.PendingIndex(t.Context(), b, 1)
	must(t, err)
	equal(t, "read with a lease that ran out", held, false)
	acquire(a, time.Hour, true)
	acquire(chat.Lease{Name: "another", Holder: "b"}, time.Hour, true)
	acquire(b, time.Minute, true) // nobody acquires it for an hour: the clock went back
}

func testIndexPages(t *testing.T, f *fixture) {
	ann := f.user("ann")
	c := f.group(ann)
	any, err := f.store.HasMessages(t.Context())
	must(t, err)
	equal(t, "there are messages", any, false)
	indexed := func(want bool) {
		t.Helper()
		got, err := f.store.HasIndexed(t.Context())
		must(t, err)
		equal(t, "the oldest is indexed", got, want)
	}
	indexed(false)
	var sent []string
	for _, body := range []string{"a", "b", "c", "d", "e"} {
		sent = append(sent, f.send(c, ann, body).MessageID)
	}
	indexed(false)
	f.done(f.lead(), f.pending(f.lead(), 10))
	indexed(true)
	_, err = f.svc.Delete(t.Context(), ann.ID, sent[1])
	must(t, err)
	var ids []string
	for after := ""; ; {
		page, next, err := f.store.IndexPage(t.Context(), after, 2)
		must(t, err)
		ids = append(ids, mapTo(page, func(m chat.Message) string { return m.ID })...)
		if after = next; after == "" {
			break
		}
	}
	slices.Sort(sent)
	equalSlices(t, "all but the deleted", ids, slices.Concat(sent[:1], sent[2:]))
	n, err := f.store.CountMessages(t.Context())
	must(t, err)
	equal(t, "counted", n, 4)
	versions, err := f.store.MessageVersions(t.Context(), append(sent, NewID()))
	must(t, err)
	equal(t, "versions", len(versions), 4)

	f.done(f.lead(), f.pending(f.lead(), 10))
	queued := 0
	for after := int64(0); ; {
		n, last, err := f.store.QueueChat(t.Context(), c.ID, after, 2)
		must(t, err)
		if n == 0 {
			break
		}
		queued, after = queued+n, last
	}
	equal(t, "queued, deleted ones too", queued, 5)
	equal(t, "waiting", len(f.pending(f.lead(), 10)), 5)
}

func testSearchReads(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "eve")
	ann, bob, eve := people[0], people[1], people[2]
	c, own := f.group(ann, bob), f.group(ann)
	first, second := f.send(c, bob, "one"), f.send(own, ann, "two")
	bodies := func(u chat.User, limit int) []string {
		t.Helper()
		tail, err := f.store.Unindexed(t.Context(), u.ID, limit)
		must(t, err)
		return mapTo(tail.Messages, func(m chat.Message) string { return m.Body })
	}
	equalSlices(t, "not indexed, of ann's chats", bodies(ann, 10), []string{"two", "one"})
	equalSlices(t, "a part", bodies(ann, 1), []string{"two"})
	equalSlices(t, "of bob's", bodies(bob, 10), []string{"one"})
	equalSlices(t, "of eve's", bodies(eve, 10), []string{})
	visible := func(u chat.User) int {
		t.Helper()
		found, err := f.store.VisibleMessages(t.Context(), u.ID, []string{first.MessageID, second.MessageID, NewID(), "x"})
		must(t, err)
		return len(found)
	}
	equal(t, "ann sees", visible(ann), 2)
	equal(t, "bob sees", visible(bob), 1)
	equal(t, "eve sees", visible(eve), 0)
	_, err := f.svc.RemoveMember(t.Context(), ann.ID, c.ID, bob.ID)
	must(t, err)
	equal(t, "the removed member sees", visible(bob), 0)
	equalSlices(t, "and of what is not indexed", bodies(bob, 10), []string{})
	_, err = f.svc.Delete(t.Context(), ann.ID, second.MessageID)
	must(t, err)
	equal(t, "ann sees what is not deleted", visible(ann), 1)
}

func testChatsByName(t *testing.T, f *fixture) {
	ann, bob := f.user("ann"), f.user("bob")
	public, _, err := f.svc.CreateChat(t.Context(), ann.ID, chat.NewChat{Kind: chat.Public, Name: "General Talk"})
	must(t, err)
	direct, _, err := f.svc.CreateChat(t.Context(), ann.ID, chat.NewChat{Kind: chat.Direct, MemberIDs: []string{bob.ID}})
	must(t, err)
	f.group(ann, bob) // has no name
	named := func(u chat.User, name, key string) []string {
		t.Helper()
		ids, err := f.store.ChatIDsNamed(t.Context(), u.ID, []string{"no such name", name}, []string{key})
		must(t, err)
		return ids
	}
	equalSlices(t, "by name", named(ann, "general talk", ""), []string{public.ID})
	equalSlices(t, "in any case", named(ann, "GENERAL Tälk", ""), []string{public.ID})
	equalSlices(t, "a chat of others", named(bob, "General Talk", ""), nil)
	equalSlices(t, "by a part", named(ann, "general", ""), nil)
	equalSlices(t, "by nothing", named(ann, "", ""), nil)
	equalSlices(t, "direct", named(bob, "", chat.DirectKey(ann.ID, bob.ID)), []string{direct.ID})
	equalSlices(t, "either", named(ann, "general talk", chat.DirectKey(ann.ID, bob.ID)), []string{public.ID, direct.ID})
}

func testUsersByName(t *testing.T, f *fixture) {
	muller, other, own := f.user("a.m"), f.user("alice"), f.user("jose")
	must(t, save(f, muller, "Alice Müller"))
	must(t, save(f, other, "ALICE Muller"))
	for name, want := range map[string][]string{
		"Alice Müller": {muller.ID, other.ID}, "alice muller": {muller.ID, other.ID}, "a.m": {muller.ID}, "José": {own.ID},
		"Alice": {other.ID}, "Müller": nil, "nobody": nil, "": nil, "\u200b": nil,
	} {
		ids, err := f.store.UserIDsNamed(t.Context(), name, 10)
		must(t, err)
		equalSlices(t, "users named "+name, ids, want)
	}
	ids, err := f.store.UserIDsNamed(t.Context(), "Alice Müller", 1)
	must(t, err)
	equalSlices(t, "a part", ids, []string{muller.ID})
}
