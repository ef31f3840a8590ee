package persistence_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// world is a database with a little of everything.
type world struct {
	users  []chat.User
	chats  []string
	sends  []chat.Send
	tokens []string
	create chat.NewChat // the first user's
}

func check[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// build makes a world with the use cases.
func build(t testing.TB, store *persistence.Store) world {
	t.Helper()
	svc, ctx := persistencetest.Service(store), context.Background()
	var w world
	done := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"ann", "bob", "zoe", "dan"} {
		w.users = append(w.users, check[chat.User](t)(svc.SignUp(ctx, chat.NewUser{Username: name, Password: "a good password", DisplayName: "Ünï " + name})))
		w.tokens = append(w.tokens, check[chat.Login](t)(svc.LogIn(ctx, name, "a good password", "laptop 💻")).Token)
	}
	ann, bob, zoe, dan := w.users[0].ID, w.users[1].ID, w.users[2].ID, w.users[3].ID
	phone := check[chat.Login](t)(svc.LogIn(ctx, "ann", "a good password", "phone"))
	done(svc.RevokeSession(ctx, ann, phone.Session.ID))
	check[chat.User](t)(svc.UpdateProfile(ctx, bob, chat.Profile{StatusChange: chat.StatusChange{StatusText: new("away \\ \"quoted\"")}}))
	w.create = chat.NewChat{Kind: chat.Private, Name: "Pläne", Topic: "中文", MemberIDs: []string{bob, zoe}, Key: "create"}
	for _, n := range []chat.NewChat{w.create, {Kind: chat.Direct, MemberIDs: []string{bob}}, {Kind: chat.Group, MemberIDs: []string{bob, zoe, dan}},
		{Kind: chat.Public, Name: "Open"}, {Kind: chat.Group}} {
		c, _, err := svc.CreateChat(ctx, ann, n)
		done(err)
		w.chats = append(w.chats, c.ID)
	}
	check[chat.Entry](t)(svc.Join(ctx, dan, w.chats[3]))
	var ids []string
	for i, body := range []string{"hello @bob", "@all <b>&amp; \u2028 \"x\" \\ 👍🏽 \t\n", "gone soon", "before", strings.Repeat("long ", 3000)} {
		for _, c := range w.chats[:3] {
			send := chat.Send{ChatID: c, SenderID: []string{ann, bob}[i%2], Key: persistencetest.NewID(), Body: body}
			if len(ids) > 3 && c == w.chats[0] {
				send.ReplyTo = ids[0]
			}
			ids = append(ids, check[chat.Sent](t)(svc.Send(ctx, send)).MessageID)
			w.sends = append(w.sends, send)
		}
	}
	_, _, err := svc.Edit(ctx, bob, ids[9], "after", 1)
	done(err)
	check[int64](t)(svc.Delete(ctx, ann, ids[6]))
	for _, emoji := range []string{"👍", "🎉"} {
		check[int64](t)(svc.React(ctx, bob, ids[0], emoji))
		check[int64](t)(svc.React(ctx, ann, ids[0], emoji))
	}
	check[int64](t)(svc.Unreact(ctx, ann, ids[0], "🎉"))
	check[int64](t)(svc.RemoveMember(ctx, ann, w.chats[2], dan))
	check[int64](t)(svc.RemoveMember(ctx, ann, w.chats[2], zoe))
	_, _, err = svc.AddMember(ctx, ann, w.chats[2], zoe, chat.RoleAdmin)
	done(err)
	check[chat.Member](t)(svc.UpdateMember(ctx, zoe, w.chats[2], zoe, chat.MemberChange{Muted: new(true)}))
	check[chat.CursorMoved](t)(svc.SetCursor(ctx, zoe, w.chats[0], chat.CursorChange{ReadSeq: new(int64(6)), DeliveredSeq: new(int64(8))}))
	check[chat.Chat](t)(svc.UpdateChat(ctx, ann, w.chats[4], chat.ChatChange{Archived: new(true)}))
	check[int64](t)(store.WriteCanary(ctx, persistencetest.NewID()))
	done(store.SaveCertificate(ctx, "certificates/chat.example/key", []byte("\x00 secret")))
	return w
}

// view is everything that the API shows to each user.
func view(t testing.TB, store *persistence.Store, w world) any {
	t.Helper()
	svc, ctx := persistencetest.Service(store), context.Background()
	all := map[string]any{"secret": hex.EncodeToString(store.Secret())}
	epoch, positions, err := store.Positions(ctx, append(w.chats, w.users[0].ID, w.users[1].ID))
	all["positions"], all["epoch"] = positions, epoch
	keys := check[persistence.BusKeys](t)(store.BusKeys(ctx))
	all["bus"] = keys.Keys
	certificate, _, certificateErr := store.Certificate(ctx, "certificates/chat.example/key")
	all["certificate"] = string(certificate)
	users, _, usersErr := svc.Users(ctx, "", chat.Page{Limit: 100})
	public, _, publicErr := svc.PublicChats(ctx, w.users[1].ID, "", chat.Page{Limit: 100})
	all["users"], all["public"] = users, public
	if err := errors.Join(err, usersErr, publicErr, certificateErr); err != nil {
		t.Fatal(err)
	}
	for i, u := range w.users {
		session := check[chat.Session](t)(svc.Authenticate(ctx, w.tokens[i]))
		entries := check[chat.EntryPage](t)(svc.AllEntries(ctx, u.ID))
		one := map[string]any{"session": []string{session.ID, session.Device, session.UserID}, "entries": entries.Entries}
		one["personal"] = check[[]chat.Event](t)(store.StreamEvents(ctx, u.ID, 0, 1000))
		for _, c := range w.chats {
			members, _, membersErr := svc.Members(ctx, u.ID, c, chat.Page{Limit: 100})
			cursors, _, cursorsErr := svc.Cursors(ctx, u.ID, c, chat.Page{Limit: 100})
			log, logErr := svc.Events(ctx, u.ID, c, 0, 200)
			history, historyErr := svc.History(ctx, u.ID, c, chat.Range{Limit: 100})
			one[c] = []any{members, cursors, log, history, codes(membersErr, cursorsErr, logErr, historyErr)}
		}
		all[u.ID] = one
	}
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func codes(errs ...error) (list []chat.Code) {
	for _, err := range errs {
		list = append(list, chat.CodeOf(err))
	}
	return list
}
