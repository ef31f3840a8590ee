package persistence_test

import (
	"context"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// place is where the calls of a plan test happen: a user, and a message in the middle
// of a chat.
type place struct {
	user, other, chat, message string
	seq                        int64
}

// frequent returns what a node asks the database all the time.
func frequent(store *persistence.Store, p place) map[string]func(context.Context) error {
	svc := persistencetest.Service(store)
	history := func(r chat.Range) func(context.Context) error {
		return func(ctx context.Context) error { _, err := store.History(ctx, p.user, p.chat, r); return err }
	}
	return map[string]func(context.Context) error{
		"newest":      history(chat.Range{Limit: 50}),
		"page before": history(chat.Range{Limit: 50, Before: &p.seq}),
		"page after":  history(chat.Range{Limit: 50, After: &p.seq}),
		"around":      history(chat.Range{Limit: 50, Around: &p.seq}),
		"events":      func(ctx context.Context) error { _, err := store.Events(ctx, p.user, p.chat, p.seq, 200); return err },
		"attach": func(ctx context.Context) error {
			_, err := store.MemberEvents(ctx, p.user, p.chat, p.seq, 200)
			return err
		},
		"repair": func(ctx context.Context) error { _, err := store.StreamEvents(ctx, p.chat, p.seq, 200); return err },
		"positions": func(ctx context.Context) error {
			_, _, err := store.Positions(ctx, []string{p.chat, p.user, p.other})
			return err
		},
		"entry":       func(ctx context.Context) error { _, err := store.Entry(ctx, p.user, p.chat); return err },
		"all entries": func(ctx context.Context) error { _, err := store.AllEntries(ctx, p.user); return err },
		"entries": func(ctx context.Context) error {
			page, err := store.Entries(ctx, p.user, chat.Page{Limit: 5})
			if err == nil && page.Next != "" {
				_, err = store.Entries(ctx, p.user, chat.Page{Limit: 5, After: page.Next})
			}
			return err
		},
		"search from": func(ctx context.Context) error { _, err := store.UserIDsNamed(ctx, "Some Name", 100); return err },
		"search in": func(ctx context.Context) error {
			_, err := store.ChatIDsNamed(ctx, p.user, []string{"name"}, []string{"key"})
			return err
		},
		"search tail": func(ctx context.Context) error { _, err := store.Unindexed(ctx, p.user, 500); return err },
		"search hits": func(ctx context.Context) error {
			_, err := store.VisibleMessages(ctx, p.user, []string{p.message})
			return err
		},
		"outbox": func(ctx context.Context) error {
			_, _, err := store.PendingIndex(ctx, chat.Lease{Name: "index", Holder: "a"}, 1000)
			return err
		},
		"cursors at": func(ctx context.Context) error { _, err := store.CursorsAt(ctx, p.user, 1); return err },
		"last seqs":  func(ctx context.Context) error { _, _, err := store.LastSeqs(ctx, p.user); return err },
		"chat":       func(ctx context.Context) error { _, err := store.Chat(ctx, p.user, p.chat); return err },
		"chat ids":   func(ctx context.Context) error { _, err := store.ChatIDs(ctx, p.user); return err },
		"message":    func(ctx context.Context) error { _, err := store.Message(ctx, p.user, p.message); return err },
		"members": func(ctx context.Context) error {
			_, next, err := store.Members(ctx, p.user, p.chat, chat.Page{Limit: 1})
			if err == nil {
				_, _, err = store.Members(ctx, p.user, p.chat, chat.Page{Limit: 1, After: next})
			}
			return err
		},
		"cursors": func(ctx context.Context) error {
			_, _, err := store.Cursors(ctx, p.user, p.chat, chat.Page{Limit: 50})
			return err
		},
		"unread and mentions": func(ctx context.Context) error {
			_, err := store.SetCursor(ctx, p.user, p.chat, chat.CursorChange{ReadSeq: &p.seq})
			return err
		},
		"key": func(ctx context.Context) error {
			_, err := store.SentByKey(ctx, chat.Send{ChatID: p.chat, SenderID: p.user, Key: "new"})
			if chat.CodeOf(err) == chat.NotFound {
				return nil
			}
			return err
		},
		"send": func(ctx context.Context) error {
			_, err := svc.Send(ctx, chat.Send{ChatID: p.chat, SenderID: p.user, Key: "k", Body: "@user2 hello", ReplyTo: p.message})
			return err
		},
		"edit, react, delete": func(ctx context.Context) error {
			sent, err := svc.Send(ctx, chat.Send{ChatID: p.chat, SenderID: p.user, Key: "k2", Body: "hello"})
			if err == nil {
				_, _, err = svc.Edit(ctx, p.user, sent.MessageID, "@user2", 1)
			}
			if err == nil {
				_, err = svc.React(ctx, p.user, sent.MessageID, "👍")
			}
			if err == nil {
				_, _, err = svc.Reactors(ctx, p.user, sent.MessageID, "👍", chat.Page{Limit: 5})
			}
			if err == nil {
				_, err = svc.Delete(ctx, p.user, sent.MessageID)
			}
			return err
		},
		"members come and go": func(ctx context.Context) error {
			_, err := svc.RemoveMember(ctx, p.user, p.chat, p.other)
			if err == nil {
				_, _, err = svc.AddMember(ctx, p.user, p.chat, p.other, "")
			}
			return err
		},
		"expired messages": func(ctx context.Context) error {
			_, err := store.ExpiredMessages(ctx, chat.Expiring{ChatID: p.chat, Days: 7, From: 1, Before: 2}, 50)
			return err
		},
		"presence": func(ctx context.Context) error {
			_, err := svc.VisiblePresence(ctx, p.user, []string{p.other})
			return err
		},
		"people": func(ctx context.Context) error {
			_, err := svc.UsersByID(ctx, []string{p.user, p.other})
			return err
		},
	}
}
