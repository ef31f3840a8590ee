package persistencetest

import (
	"context"
	"testing"

	"fechatter/chat"
)

func testMembers(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat", "dan", "eve")
	c := f.group(people[:4]...)
	list := pages(t, func(p chat.Page) ([]chat.Member, string, error) {
		return f.svc.Members(f.t.Context(), people[3].ID, c.ID, p)
	})
	equal(t, "members", len(list), 4)
	equal(t, "first", list[0].UserID, people[0].ID)
	equal(t, "role", list[0].Role, chat.RoleOwner)
	_, _, err := f.store.Members(f.t.Context(), people[4].ID, c.ID, chat.Page{Limit: 10})
	refused(t, err, chat.NotFound)
	m, added, err := f.svc.AddMember(f.t.Context(), people[3].ID, c.ID, people[4].ID, "")
	must(t, err)
	equal(t, "added", added, true)
	equal(t, "added seq", m.AddedSeq, 6)
	_, added, err = f.svc.AddMember(f.t.Context(), people[0].ID, c.ID, people[4].ID, chat.RoleAdmin)
	must(t, err)
	equal(t, "added again", added, false)
	_, _, err = f.svc.AddMember(f.t.Context(), people[0].ID, c.ID, NewID(), "")
	refused(t, err, chat.NotFound)
	_, err = f.svc.UpdateMember(f.t.Context(), people[0].ID, c.ID, people[1].ID, chat.MemberChange{Role: new(chat.RoleAdmin)})
	must(t, err)
	_, err = f.svc.UpdateMember(f.t.Context(), people[4].ID, c.ID, people[4].ID, chat.MemberChange{Muted: new(true)})
	must(t, err)
	equal(t, "muted", f.entry(c, people[4]).Muted, true)
	equal(t, "muting makes no event", f.entry(c, people[4]).LastSeq, 7)
	_, err = f.svc.RemoveMember(f.t.Context(), people[0].ID, c.ID, people[0].ID)
	refused(t, err, chat.Conflict)
	_, err = f.svc.RemoveMember(f.t.Context(), people[4].ID, c.ID, people[3].ID)
	refused(t, err, chat.Forbidden)
	seq, err := f.svc.RemoveMember(f.t.Context(), people[1].ID, c.ID, people[3].ID)
	must(t, err)
	equal(t, "seq of the removal", seq, 8)
	equal(t, "members after all", f.entry(c, people[0]).MemberCount, 4)
	_, err = f.svc.RemoveMember(f.t.Context(), people[1].ID, c.ID, people[3].ID)
	refused(t, err, chat.NotFound)
	equal(t, "personal events of a former member", len(f.log(people[3].ID)), 2)
}

// testReadmission: for a member who is added again, everything before counts as read.
func testReadmission(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	f.send(c, people[0], "@bob one")
	f.send(c, people[1], "two")
	_, err := f.svc.RemoveMember(f.t.Context(), people[0].ID, c.ID, people[1].ID)
	must(t, err)
	f.send(c, people[0], "@all three")
	_, _, err = f.svc.AddMember(f.t.Context(), people[0].ID, c.ID, people[1].ID, "")
	must(t, err)
	e := f.entry(c, people[1])
	equal(t, "unread", e.Unread, 0)
	equal(t, "mentions", e.Mentions, 0)
	equal(t, "read from", e.ReadSeq, e.AddedSeq)
	equal(t, "delivered from", e.DeliveredSeq, e.AddedSeq)
	f.send(c, people[0], "@bob four")
	e = f.entry(c, people[1])
	equal(t, "unread", e.Unread, 1)
	equal(t, "mentions", e.Mentions, 1)
	h, err := f.store.History(f.t.Context(), people[1].ID, c.ID, chat.Range{Limit: 10})
	must(t, err)
	equal(t, "the whole history", len(h.Messages), 4)
}

// testUnknownIDs passes unknown ids to every method.
func testUnknownIDs(t *testing.T, f *fixture) {
	ann := f.user("ann")
	ctx, id, page := f.t.Context(), NewID(), chat.Page{Limit: 10}
	errs := map[string]func() error{
		"User":    func() error { _, err := f.store.User(ctx, id); return err },
		"Chat":    func() error { _, err := f.store.Chat(ctx, ann.ID, id); return err },
		"Entry":   func() error { _, err := f.store.Entry(ctx, ann.ID, id); return err },
		"Members": func() error { _, _, err := f.store.Members(ctx, ann.ID, id, page); return err },
		"Cursors": func() error { _, _, err := f.store.Cursors(ctx, ann.ID, id, page); return err },
		"SetCursor": func() error {
			_, err := f.store.SetCursor(ctx, ann.ID, id, chat.CursorChange{ReadSeq: new(int64(1))})
			return err
		},
		"Message":        func() error { _, err := f.store.Message(ctx, ann.ID, id); return err },
		"PlaceOfMessage": func() error { _, _, err := f.store.PlaceOfMessage(ctx, id); return err },
		"History":        func() error { _, err := f.store.History(ctx, ann.ID, id, chat.Range{Limit: 10}); return err },
		"Reactors":       func() error { _, _, err := f.store.Reactors(ctx, ann.ID, id, "👍", page); return err },
		"Events":         func() error { _, err := f.store.Events(ctx, ann.ID, id, 0, 10); return err },
		"Send": func() error {
			_, err := f.store.Send(ctx, chat.Send{ChatID: id, SenderID: ann.ID, Key: "k"})
			return err
		},
		"SentByKey": func() error {
			_, err := f.store.SentByKey(ctx, chat.Send{ChatID: id, SenderID: ann.ID, Key: "k"})
			return err
		},
		"RevokeSession": func() error { return f.store.RevokeSession(ctx, ann.ID, id) },
		"Change": func() error {
			return f.store.Change(ctx, chat.Change{OpID: NewID(), ChatID: id, UserIDs: []string{NewID()}},
				func(ctx context.Context, tx chat.Tx) error { _, err := tx.Chat(ctx); return err })
		},
	}
	for name, call := range errs {
		if err := call(); chat.CodeOf(err) != chat.NotFound {
			t.Errorf("%s: got %v, want not_found", name, err)
		}
	}
	// A user's own stream is not a chat.
	_, err := f.store.Send(ctx, chat.Send{ChatID: ann.ID, SenderID: ann.ID, Key: "k"})
	refused(t, err, chat.NotFound)
	_, err = f.store.Events(ctx, ann.ID, ann.ID, 0, 10)
	refused(t, err, chat.NotFound)
}
