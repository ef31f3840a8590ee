package persistence_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// world is a database with a bit of everything.
type world struct {
	users  []chat.User
	chats  []string
	sends  []chat.Send
	tokens []string
	create chat.NewChat // by the first user
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

// build makes a world through the use cases.
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
	check[chat.User](t)(svc.UpdateProfile(ctx, bob, chat.Profile{StatusText: new("away \\ \"quoted\"")}))
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
	for _, emoji := range []string{"👍", "x"} {
		check[int64](t)(svc.React(ctx, bob, ids[0], emoji))
		check[int64](t)(svc.React(ctx, ann, ids[0], emoji))
	}
	check[int64](t)(svc.Unreact(ctx, ann, ids[0], "x"))
	check[int64](t)(svc.RemoveMember(ctx, ann, w.chats[2], dan))
	check[int64](t)(svc.RemoveMember(ctx, ann, w.chats[2], zoe))
	_, _, err = svc.AddMember(ctx, ann, w.chats[2], zoe, chat.RoleAdmin)
	done(err)
	check[chat.Member](t)(svc.UpdateMember(ctx, zoe, w.chats[2], zoe, chat.MemberChange{Muted: new(true)}))
	check[chat.CursorMoved](t)(svc.SetCursor(ctx, zoe, w.chats[0], chat.CursorChange{ReadSeq: new(int64(6)), DeliveredSeq: new(int64(8))}))
	check[chat.Chat](t)(svc.UpdateChat(ctx, ann, w.chats[4], chat.ChatChange{Archived: new(true)}))
	check[int64](t)(store.Canary(ctx, persistencetest.NewID()))
	return w
}

// view is everything that the API shows, to everybody.
func view(t testing.TB, store *persistence.Store, w world) any {
	t.Helper()
	svc, ctx := persistencetest.Service(store), context.Background()
	all := map[string]any{"secret": hex.EncodeToString(store.Secret())}
	epoch, positions, err := store.Positions(ctx, append(w.chats, w.users[0].ID, w.users[1].ID))
	all["positions"], all["epoch"] = positions, epoch
	users, _, usersErr := svc.Users(ctx, "", chat.Page{Limit: 100})
	public, _, publicErr := svc.PublicChats(ctx, w.users[1].ID, "", chat.Page{Limit: 100})
	all["users"], all["public"] = users, public
	if err := errors.Join(err, usersErr, publicErr); err != nil {
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

// filled makes a world in a file and gives what it looks like, with nobody at work on it.
func filled(t *testing.T) (databaseURL string, w world, looks any) {
	t.Helper()
	databaseURL = sqliteURL(t)
	t.Run("build", func(t *testing.T) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		w = build(t, store)
		looks = view(t, store, w)
	})
	return databaseURL, w, looks
}

func transfer(t *testing.T, from, to string, progress func(persistence.Transferred)) error {
	t.Helper()
	if progress == nil {
		progress = func(persistence.Transferred) {}
	}
	return persistence.Transfer(t.Context(), persistence.Config{URL: from}, persistence.Config{URL: to}, persistencetest.NewID, quiet(), progress)
}

// TestTransfer moves a world to PostgreSQL and back: it looks the same, and goes on.
func TestTransfer(t *testing.T) {
	first, w, want := filled(t)
	from := first
	for _, to := range []string{postgresURL(t), sqliteURL(t)} {
		verified := map[string]bool{}
		if err := transfer(t, from, to, func(p persistence.Transferred) { verified[p.Table] = p.Verified && p.Rows == p.Of }); err != nil {
			t.Fatal(err)
		}
		for table, ok := range verified {
			if !ok {
				t.Errorf("%s is not verified", table)
			}
		}
		if len(verified) != 13 {
			t.Errorf("%d tables were told of", len(verified))
		}
		t.Run("moved to "+to[:6], func(t *testing.T) {
			store := start(t, persistence.Config{URL: to}, nobody{})
			if diff := cmp.Diff(want, view(t, store, w)); diff != "" {
				t.Fatalf("it looks different: %.2000s", diff)
			}
			goOn(t, store, w)
			want = view(t, store, w)
		})
		from = to
	}
}

// goOn replays what was said before, and says more.
func goOn(t *testing.T, store *persistence.Store, w world) {
	t.Helper()
	svc, ctx := persistencetest.Service(store), context.Background()
	if _, created, err := svc.CreateChat(ctx, w.users[0].ID, w.create); err != nil || created {
		t.Errorf("the chat of a known key: created %v, %v", created, err)
	}
	for _, send := range w.sends {
		if sent, err := svc.Send(ctx, send); err != nil || !sent.Replayed {
			t.Errorf("a known key: %+v, %v", sent, err)
		}
	}
	last := check[chat.Entry](t)(svc.Entry(ctx, w.users[0].ID, w.chats[0])).LastSeq
	more := chat.Send{ChatID: w.chats[0], SenderID: w.users[1].ID, Key: persistencetest.NewID(), Body: "more @ann"}
	if sent := check[chat.Sent](t)(svc.Send(ctx, more)); sent.Seq != last+1 || sent.Replayed {
		t.Errorf("the next message: %+v after %d", sent, last)
	}
	check[chat.Login](t)(svc.LogIn(ctx, "ann", "a good password", "again"))
}

// TestTransferredHistoryKeepsItsName: clients know the target by the source's
// epoch, until a backup is restored there; the source is another history then.
func TestTransferredHistoryKeepsItsName(t *testing.T) {
	from, _, looks := filled(t)
	told := looks.(map[string]any)["epoch"].(string)
	to := postgresURL(t)
	if err := transfer(t, from, to, nil); err != nil {
		t.Fatal(err)
	}
	epoch := func(databaseURL string, renew bool) (e string) {
		store, err := open(t, databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		if renew {
			if err := store.RenewEpoch(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		e, _, err = store.Epoch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if got := epoch(to, false); got != told {
		t.Errorf("the target is called %s, the source was %s", got, told)
	}
	if got := epoch(from, false); got == told {
		t.Error("the source has its epoch still")
	}
	if got := epoch(to, true); got == told {
		t.Error("another history has the same epoch")
	}
}

// TestTransferInterrupted: a transfer that does not end leaves an empty target
// and the source as it was; the next one succeeds.
func TestTransferInterrupted(t *testing.T) {
	from, w, want := filled(t)
	for _, to := range []string{postgresURL(t), sqliteURL(t)} {
		ctx, cancel := context.WithCancel(t.Context())
		err := persistence.Transfer(ctx, persistence.Config{URL: from}, persistence.Config{URL: to}, persistencetest.NewID, quiet(),
			func(p persistence.Transferred) {
				if p.Table == "events" {
					cancel()
				}
			})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted: %v", err)
		}
		cancel()
		for _, table := range []string{"users", "messages", "events", "meta WHERE name IN ('epoch', 'secret')", "streams"} {
			var rows int
			if err := raw(t, to).QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows); err != nil || rows != 0 {
				t.Errorf("%d rows in %s, %v", rows, table, err)
			}
		}
	}
	to := sqliteURL(t)
	if err := transfer(t, from, to, nil); err != nil {
		t.Fatal(err)
	}
	t.Run("then whole", func(t *testing.T) {
		if diff := cmp.Diff(want, view(t, start(t, persistence.Config{URL: to}, nobody{}), w)); diff != "" {
			t.Errorf("it looks different: %.2000s", diff)
		}
	})
}

// TestTransferIsVerified: a target that does not keep what it is given is found out.
func TestTransferIsVerified(t *testing.T) {
	from, _, _ := filled(t)
	for name, trigger := range map[string]string{
		"changed": "CREATE TRIGGER bad AFTER INSERT ON messages WHEN new.seq = 5 BEGIN UPDATE messages SET body = body || '.' WHERE id = new.id; END",
		"lost":    "CREATE TRIGGER bad AFTER INSERT ON events WHEN new.seq = 5 BEGIN DELETE FROM events WHERE stream_id = new.stream_id AND seq = 5; END",
		"doubled": "CREATE TRIGGER bad AFTER INSERT ON mentions BEGIN INSERT OR IGNORE INTO mentions VALUES (new.user_id, new.chat_id, 1000); END",
	} {
		to := sqliteURL(t)
		store, err := open(t, to)
		if err != nil {
			t.Fatal(err)
		}
		store.Close()
		execRaw(t, raw(t, to), trigger)
		if err := transfer(t, from, to, nil); err == nil || !strings.Contains(err.Error(), "what arrived is not what was sent") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTransferKeepsNodesOut: a node that starts on either database meanwhile
// waits, and finds it whole.
func TestTransferKeepsNodesOut(t *testing.T) {
	from, w, want := filled(t)
	first, to := postgresURL(t), postgresURL(t)
	if err := transfer(t, from, first, nil); err != nil {
		t.Fatal(err)
	}
	tried := false
	err := transfer(t, first, to, func(p persistence.Transferred) {
		if tried {
			return
		}
		tried = true
		for _, database := range []string{first, to} {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			store, err := persistence.Open(ctx, persistence.Config{URL: database}, nobody{}, persistencetest.NewID, quiet())
			cancel()
			if err == nil {
				store.Close()
				t.Error("a node started amid a transfer")
			}
		}
	})
	if err != nil || !tried {
		t.Fatal(tried, err)
	}
	t.Run("then whole", func(t *testing.T) {
		if diff := cmp.Diff(want, view(t, start(t, persistence.Config{URL: to}, nobody{}), w)); diff != "" {
			t.Errorf("it looks different: %.2000s", diff)
		}
	})
}

func TestTransferRefuses(t *testing.T) {
	from, _, _ := filled(t)
	full, _, _ := filled(t)
	says := func(what, from, to, want string) {
		t.Helper()
		if err := transfer(t, from, to, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	says("a target with data", from, full, "not empty")
	missing := filepath.Join(t.TempDir(), "none.db")
	says("no source", "sqlite:"+missing, sqliteURL(t), "no file")
	if _, err := os.Stat(missing); err == nil {
		t.Error("a missing source was made")
	}
	says("one database", from, from, "the same")
	says("another kind", "mysql://x", sqliteURL(t), "neither")

	t.Run("nodes at work", func(t *testing.T) {
		busy := postgresURL(t)
		store := start(t, persistence.Config{URL: busy}, nobody{})
		if err := store.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		says("a target in use", from, busy, "stop them")
		says("a source in use", busy, sqliteURL(t), "stop them")
	})
	old := sqliteURL(t)
	store, err := open(t, old)
	if err != nil {
		t.Fatal(err)
	}
	store.Close()
	execRaw(t, raw(t, old), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (201, 1)")
	says("a source of another version", old, sqliteURL(t), "version 201")
	says("a target of another version", from, old, "version 201")
	unknown := sqliteURL(t)
	if store, err = open(t, unknown); err != nil {
		t.Fatal(err)
	}
	store.Close()
	execRaw(t, raw(t, unknown), "CREATE TABLE more (id TEXT)")
	says("a table that nobody knows", unknown, sqliteURL(t), "more")
}
