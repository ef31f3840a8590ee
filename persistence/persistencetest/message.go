package persistencetest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"fechatter/chat"
)

func testSend(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	body := "<b>&amp; \u2028 \"quoted\" \\ 中文 👍🏽 \t\n" + strings.Repeat("x", 15_000)
	first := f.send(c, people[0], body)
	equal(t, "seq", first.Seq, 4)
	second, err := f.svc.Send(f.t.Context(), chat.Send{ChatID: c.ID, SenderID: people[1].ID, Key: "k", Body: "yes", ReplyTo: first.MessageID})
	must(t, err)
	m, err := f.store.Message(f.t.Context(), people[1].ID, first.MessageID)
	must(t, err)
	equal(t, "body", m.Body, body)
	equal(t, "created at", m.CreatedAt, first.TS)
	equal(t, "version", m.Version, 1)
	equal(t, "lists are never nil", m.Mentions != nil && m.Reactions != nil, true)
	m, err = f.store.Message(f.t.Context(), people[0].ID, second.MessageID)
	must(t, err)
	equal(t, "reply to", m.ReplyTo, first.MessageID)
	e := f.entry(c, people[0])
	equal(t, "sending reads up to itself", e.ReadSeq, first.Seq)
	equal(t, "unread", e.Unread, 1)
	events := f.published.of(c.ID)
	last := events[len(events)-1]
	d, ok := last.D.(chat.MessageCreated)
	equal(t, "payload", ok && d.Key == "k" && d.Body == "yes" && d.ReplyTo == first.MessageID, true)
	equal(t, "message of the event", last.MessageID, second.MessageID)
	equal(t, "its seq", last.MessageSeq, second.Seq)
}

// spent is the meter of people who have nothing left.
type spent struct{}

func (spent) Charge(context.Context, string, chat.Cost) error {
	return chat.Errorf(chat.RateLimited, "nothing is left")
}
func (spent) Refund(string, chat.Cost)      {}
func (spent) Settle(string, chat.Cost, int) {}

func testKeys(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c, other := f.group(people...), f.group(people...)
	m := chat.Send{ChatID: c.ID, SenderID: people[0].ID, Key: "~key!", Body: "one"}
	limited := f.svc.Metered(spent{})
	_, err := limited.Send(f.t.Context(), m)
	refused(t, err, chat.RateLimited)
	first, err := f.svc.Send(f.t.Context(), m)
	must(t, err)
	again, err := f.svc.Send(f.t.Context(), m)
	must(t, err)
	equal(t, "replayed", again.Replayed, true)
	again.Replayed, again.Members = false, first.Members
	equal(t, "the same answer", again, first)
	again, err = limited.Send(f.t.Context(), m)
	must(t, err)
	equal(t, "replayed without a limit", again.Replayed, true)
	changed := m
	changed.Body = "two"
	_, err = f.svc.Send(f.t.Context(), changed)
	refused(t, err, chat.KeyReused)
	_, err = limited.Send(f.t.Context(), changed)
	refused(t, err, chat.KeyReused)
	for _, m := range []chat.Send{{ChatID: other.ID, SenderID: people[0].ID}, {ChatID: c.ID, SenderID: people[1].ID}} {
		m.Key, m.Body = "~key!", "one"
		sent, err := f.svc.Send(f.t.Context(), m)
		must(t, err)
		equal(t, "a key belongs to one sender in one chat", sent.Replayed, false)
	}
	equal(t, "the log", len(f.log(c.ID)), 5)
}

// testKeysAtOnce sends each of a few keys many times at once.
func testKeysAtOnce(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	const keys, times = 5, 20
	answers := make([][]chat.Sent, keys)
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range keys * times {
		all.Go(func() {
			key := i % keys
			sent, err := f.svc.Send(f.t.Context(), chat.Send{ChatID: c.ID, SenderID: people[0].ID, Key: strings.Repeat("k", key+1), Body: "hello"})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			answers[key] = append(answers[key], sent)
		})
	}
	all.Wait()
	for key, list := range answers {
		fresh := 0
		for _, sent := range list {
			equal(t, "id", sent.MessageID, list[0].MessageID)
			equal(t, "seq", sent.Seq, list[0].Seq)
			if !sent.Replayed {
				fresh++
			}
		}
		if fresh != 1 {
			t.Errorf("key %d was stored %d times", key, fresh)
		}
	}
	equal(t, "the log", len(f.log(c.ID)), 3+keys)
}

func testRemovedSender(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	m := chat.Send{ChatID: c.ID, SenderID: people[1].ID, Key: "k", Body: "last words"}
	first, err := f.svc.Send(f.t.Context(), m)
	must(t, err)
	_, err = f.svc.RemoveMember(f.t.Context(), people[0].ID, c.ID, people[1].ID)
	must(t, err)
	again, err := f.svc.Send(f.t.Context(), m)
	must(t, err)
	equal(t, "replayed to the removed sender", again.Replayed && again.MessageID == first.MessageID, true)
	m.Key = "k2"
	_, err = f.svc.Send(f.t.Context(), m)
	refused(t, err, chat.NotFound)
	_, err = f.store.Message(f.t.Context(), people[1].ID, first.MessageID)
	refused(t, err, chat.NotFound)
	_, err = f.store.History(f.t.Context(), people[1].ID, c.ID, chat.Range{Limit: 10})
	refused(t, err, chat.NotFound)
	_, err = f.store.Events(f.t.Context(), people[1].ID, c.ID, 0, 10)
	refused(t, err, chat.NotFound)
}

func testRefusedSends(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	c, other := f.group(people[:2]...), f.group(people...)
	elsewhere := f.send(other, people[0], "elsewhere")
	send := func(u chat.User, replyTo string) error {
		_, err := f.svc.Send(f.t.Context(), chat.Send{ChatID: c.ID, SenderID: u.ID, Key: NewID(), Body: "hello", ReplyTo: replyTo})
		return err
	}
	refused(t, send(people[2], ""), chat.NotFound)
	refused(t, send(people[0], elsewhere.MessageID), chat.BadRequest)
	refused(t, send(people[0], NewID()), chat.BadRequest)
	_, err := f.svc.UpdateChat(f.t.Context(), people[0].ID, c.ID, chat.ChatChange{Archived: new(true)})
	must(t, err)
	refused(t, send(people[0], ""), chat.Conflict)
	h, err := f.store.History(f.t.Context(), people[0].ID, c.ID, chat.Range{Limit: 10})
	must(t, err)
	equal(t, "messages", len(h.Messages), 0)
	equal(t, "refused sends use no seq", h.LastSeq, 4)
}

func testMentions(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "bob.jr", "cat")
	c := f.group(people[:3]...)
	sent := f.send(c, people[0], "@bob.jr. and @BOB, not @cat or x@ann")
	m, err := f.store.Message(f.t.Context(), people[0].ID, sent.MessageID)
	must(t, err)
	equalSlices(t, "mentions", m.Mentions, []string{people[2].ID, people[1].ID})
	all := f.send(c, people[0], "@all and @bob")
	e := f.entry(c, people[1])
	equal(t, "mentioned in two messages", e.Mentions, 2)
	_, _, err = f.svc.Edit(f.t.Context(), people[0].ID, sent.MessageID, "nobody", 1)
	must(t, err)
	equal(t, "an edit removes a mention", f.entry(c, people[1]).Mentions, 1)
	_, _, err = f.svc.Edit(f.t.Context(), people[0].ID, sent.MessageID, "@bob.jr", 2)
	must(t, err)
	equal(t, "an edit mentions another", f.entry(c, people[2]).Mentions, 2)
	_, err = f.svc.Delete(f.t.Context(), people[0].ID, all.MessageID)
	must(t, err)
	equal(t, "a deleted message mentions nobody", f.entry(c, people[1]).Mentions, 0)
	equal(t, "but stays unread", f.entry(c, people[1]).Unread, 2)
}

func testHistory(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	var seqs []int64
	for range 9 {
		seqs = append(seqs, f.send(c, people[0], "x").Seq)
	}
	read := func(r chat.Range) ([]int64, chat.History) {
		h, err := f.svc.History(f.t.Context(), people[1].ID, c.ID, r)
		must(t, err)
		equal(t, "last seq", h.LastSeq, seqs[8])
		return mapTo(h.Messages, func(m chat.Message) int64 { return m.Seq }), h
	}
	check := func(what string, r chat.Range, want []int64, more bool) {
		t.Helper()
		got, h := read(r)
		equalSlices(t, what, got, want)
		equal(t, what+": more", h.HasMore, more)
	}
	check("newest", chat.Range{Limit: 3}, seqs[6:], true)
	check("all", chat.Range{Limit: 9}, seqs, false)
	check("before", chat.Range{Before: &seqs[4], Limit: 3}, seqs[1:4], true)
	check("before, to the start", chat.Range{Before: &seqs[3], Limit: 3}, seqs[:3], false)
	check("before the start", chat.Range{Before: new(int64(0)), Limit: 3}, nil, false)
	check("after", chat.Range{After: &seqs[4], Limit: 3}, seqs[5:8], true)
	check("after, to the end", chat.Range{After: &seqs[5], Limit: 3}, seqs[6:], false)
	check("after the end", chat.Range{After: new(int64(1000)), Limit: 3}, nil, false)
	around := func(what string, seq int64, limit int, want []int64, before, after bool) {
		t.Helper()
		got, h := read(chat.Range{Around: &seq, Limit: limit})
		equalSlices(t, what, got, want)
		equal(t, what+": before", h.HasBefore, before)
		equal(t, what+": after", h.HasAfter, after)
	}
	around("around", seqs[4], 5, seqs[2:7], true, true)
	around("one around", seqs[4], 1, seqs[4:5], true, true)
	around("around the start", seqs[0], 5, seqs[:5], false, true)
	around("around the end", seqs[8], 5, seqs[4:], true, false)
	around("around everything", seqs[4], 50, seqs, false, false)
	around("around a seq without a message", 1, 2, seqs[:2], false, true)
}

// testHistorySnapshot reads while others write: a history is exactly the fold of the
// events up to its last seq.
func testHistorySnapshot(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			sent, err := f.svc.Send(f.t.Context(), chat.Send{ChatID: c.ID, SenderID: people[0].ID, Key: NewID(), Body: "x"})
			if err != nil {
				t.Error(err)
				return
			}
			if _, _, err := f.svc.Edit(f.t.Context(), people[0].ID, sent.MessageID, "y", 1); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 50 {
		h, err := f.store.History(f.t.Context(), people[1].ID, c.ID, chat.Range{Limit: 200})
		must(t, err)
		for i, m := range h.Messages {
			edited := m.Seq+1 <= h.LastSeq
			if (m.Body == "y") != edited || m.Seq > h.LastSeq {
				t.Fatalf("as of %d, message %d of seq %d reads %q", h.LastSeq, i, m.Seq, m.Body)
			}
		}
		page, err := f.store.Events(f.t.Context(), people[1].ID, c.ID, 0, 100_000)
		must(t, err)
		equal(t, "the log is as of its last seq", int64(len(page.Events)), page.LastSeq)
	}
	close(stop)
	writer.Wait()
}

func testEdit(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	c := f.group(people[:2]...)
	sent := f.send(c, people[1], "one")
	m, seq, err := f.svc.Edit(f.t.Context(), people[1].ID, sent.MessageID, "two", 1)
	must(t, err)
	equal(t, "version", m.Version, 2)
	equal(t, "edited", m.EditedAt != nil && m.Body == "two", true)
	_, again, err := f.svc.Edit(f.t.Context(), people[1].ID, sent.MessageID, "two", 1)
	must(t, err)
	equal(t, "the same edit again", again, seq)
	_, _, err = f.svc.Edit(f.t.Context(), people[1].ID, sent.MessageID, "three", 1)
	refused(t, err, chat.Conflict)
	_, _, err = f.svc.Edit(f.t.Context(), people[0].ID, sent.MessageID, "three", 2)
	refused(t, err, chat.Forbidden)
	_, _, err = f.svc.Edit(f.t.Context(), people[2].ID, sent.MessageID, "three", 2)
	refused(t, err, chat.NotFound)
	seq, err = f.svc.Delete(f.t.Context(), people[0].ID, sent.MessageID)
	must(t, err)
	again, err = f.svc.Delete(f.t.Context(), people[1].ID, sent.MessageID)
	must(t, err)
	equal(t, "deleted again", again, seq)
	_, _, err = f.svc.Edit(f.t.Context(), people[1].ID, sent.MessageID, "three", 3)
	refused(t, err, chat.Conflict)
	m, err = f.store.Message(f.t.Context(), people[0].ID, sent.MessageID)
	must(t, err)
	equal(t, "deleted", m.Body == "" && m.DeletedAt != nil && m.Version == 3 && len(m.Mentions) == 0, true)
	equal(t, "its place stays", m.Seq, sent.Seq)
	ops := mapTo(f.log(c.ID), func(e chat.Event) chat.Op { return e.Op })
	equalSlices(t, "events", ops[3:], []chat.Op{chat.OpMessageCreated, chat.OpMessageEdited, chat.OpMessageDeleted})
}
