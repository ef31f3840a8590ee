package persistencetest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"fechatter/chat"
)

// encode returns the JSON on the wire.
func encode(t testing.TB, e chat.Event) string {
	t.Helper()
	b, err := e.Encode()
	must(t, err)
	return string(b)
}

// testEvents: as long as nothing is edited, the log returns exactly what was published.
func testEvents(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	c := f.group(people[:2]...)
	sent := f.send(c, people[0], "@bob <hello>")
	for _, act := range []func() error{
		func() error { _, err := f.svc.React(f.t.Context(), people[1].ID, sent.MessageID, "👍"); return err },
		func() error { _, err := f.svc.Unreact(f.t.Context(), people[1].ID, sent.MessageID, "👍"); return err },
		func() error {
			_, _, err := f.svc.AddMember(f.t.Context(), people[0].ID, c.ID, people[2].ID, "")
			return err
		},
		func() error {
			_, err := f.svc.UpdateMember(f.t.Context(), people[0].ID, c.ID, people[2].ID, chat.MemberChange{Role: new(chat.RoleAdmin)})
			return err
		},
		func() error {
			_, err := f.svc.RemoveMember(f.t.Context(), people[0].ID, c.ID, people[2].ID)
			return err
		},
		func() error {
			_, err := f.svc.UpdateChat(f.t.Context(), people[0].ID, c.ID, chat.ChatChange{Name: new("<x>")})
			return err
		},
	} {
		must(t, act())
	}
	f.send(c, people[1], "bye")
	page, err := f.svc.Events(f.t.Context(), people[1].ID, c.ID, 0, 100)
	must(t, err)
	published := f.published.of(c.ID)
	equal(t, "events", len(page.Events), len(published))
	for i, e := range page.Events {
		var got, want any
		must(t, json.Unmarshal([]byte(encode(t, e)), &got))
		must(t, json.Unmarshal([]byte(encode(t, published[i])), &want))
		gotJSON, _ := json.Marshal(got)
		wantJSON, _ := json.Marshal(want)
		equal(t, "event", string(gotJSON), string(wantJSON))
		equal(t, "subject", e.Subject, published[i].Subject)
		equal(t, "message", e.MessageID, published[i].MessageID)
		equal(t, "message seq", e.MessageSeq, published[i].MessageSeq)
		equal(t, "seq", e.Seq, int64(i+1))
	}
	page, err = f.svc.Events(f.t.Context(), people[1].ID, c.ID, 3, 2)
	must(t, err)
	equal(t, "a part", len(page.Events) == 2 && page.Events[0].Seq == 4 && page.LastSeq == int64(len(published)), true)
	page, err = f.svc.Events(f.t.Context(), people[1].ID, c.ID, page.LastSeq, 2)
	must(t, err)
	equal(t, "nothing after the end", len(page.Events) == 0 && !page.Trimmed, true)
}

// testReplay: replaced or deleted text never comes back from the log.
func testReplay(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	edited, deleted := f.send(c, people[0], "secret one"), f.send(c, people[0], "secret two @bob")
	_, _, err := f.svc.Edit(f.t.Context(), people[0].ID, edited.MessageID, "secret three", 1)
	must(t, err)
	_, _, err = f.svc.Edit(f.t.Context(), people[0].ID, edited.MessageID, "@bob final", 2)
	must(t, err)
	_, _, err = f.svc.Edit(f.t.Context(), people[0].ID, deleted.MessageID, "secret four", 1)
	must(t, err)
	_, err = f.svc.Delete(f.t.Context(), people[0].ID, deleted.MessageID)
	must(t, err)
	for _, e := range f.log(c.ID) {
		if text := encode(t, e); strings.Contains(text, "secret") {
			t.Errorf("replayed: %s", text)
		}
	}
	events := f.log(c.ID)[3:]
	created, ok := events[0].D.(chat.MessageCreated)
	equal(t, "created, as it is now", ok && created.Body == "@bob final" && created.Version == 3 && len(created.Mentions) == 1, true)
	edit, ok := events[2].D.(chat.MessageEdited)
	equal(t, "edited, as it is now", ok && edit.Body == "@bob final" && edit.Version == 3 && edit.MessageSeq == edited.Seq, true)
	gone, ok := events[1].D.(chat.MessageCreated)
	equal(t, "created, deleted since", ok && gone.Body == "" && gone.DeletedAt != nil && gone.Key != "", true)
}

func testPersonal(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	_, err := f.svc.RemoveMember(f.t.Context(), people[0].ID, c.ID, people[1].ID)
	must(t, err)
	events := f.log(people[1].ID)
	equalSlices(t, "ops", mapTo(events, func(e chat.Event) chat.Op { return e.Op }), []chat.Op{chat.OpChatJoined, chat.OpChatLeft})
	for _, e := range events {
		equal(t, "personal", e.Personal, true)
	}
	var left chat.ChatLeft
	must(t, json.Unmarshal([]byte(events[1].D.(json.RawMessage)), &left))
	equal(t, "left", left, chat.ChatLeft{ChatID: c.ID, Seq: 4})
	equal(t, "published", len(f.published.of(people[1].ID)), 2)
}

func testPositions(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	c := f.group(people[:2]...)
	f.send(c, people[0], "hello")
	epoch, ends, err := f.store.Positions(f.t.Context(), []string{c.ID, people[0].ID, people[2].ID, NewID()})
	must(t, err)
	equal(t, "streams", len(ends), 3)
	for _, stream := range []string{c.ID, people[0].ID} {
		log := f.log(stream)
		last := log[len(log)-1]
		equal(t, "end of a log", ends[stream], chat.StreamEnd{Seq: int64(len(log)), TS: last.TS})
	}
	equal(t, "of somebody without chats", ends[people[2].ID].Seq, 0)
	again, ends, err := f.store.Positions(f.t.Context(), nil)
	must(t, err)
	equal(t, "no streams", len(ends), 0)
	equal(t, "epoch", again, epoch)
	page, err := f.store.MemberEvents(f.t.Context(), people[1].ID, c.ID, 2, 1)
	must(t, err)
	equal(t, "page", page.Member && page.AddedSeq == 3 && page.LastSeq == 4 && !page.Trimmed && len(page.Events) == 1, true)
	page, err = f.store.MemberEvents(f.t.Context(), people[2].ID, c.ID, 0, 10)
	must(t, err)
	equal(t, "page of somebody who is not a member", page.Member || len(page.Events) > 0 || page.LastSeq > 0, false)
}

// testCursorsAt: a horizon leads back to what could be read with it, never further, and
// to all of it once no transaction from before is left.
func testCursorsAt(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c, quiet := f.group(people...), f.group(people...)
	at := make([]chat.Horizon, 7) // by the last seq of c
	for seq := int64(3); ; {
		last, horizon, err := f.store.LastSeqs(f.t.Context(), people[1].ID)
		must(t, err)
		equal(t, "chats", len(last), 2)
		equal(t, "last", last[c.ID], seq)
		equal(t, "last of the quiet one", last[quiet.ID], 3)
		cursors, err := f.store.CursorsAt(f.t.Context(), people[1].ID, horizon)
		must(t, err)
		equal(t, "chats", len(cursors), 2)
		if cursors[c.ID] < seq || cursors[quiet.ID] < 3 { // others use the server too
			continue
		}
		at[seq] = horizon
		if seq++; seq == 7 {
			break
		}
		f.send(c, people[0], "hello")
	}
	for seq := int64(3); seq < 7; seq++ {
		cursors, err := f.store.CursorsAt(f.t.Context(), people[1].ID, at[seq])
		must(t, err)
		equal(t, "cursor", cursors[c.ID], seq)
		equal(t, "cursor of the quiet one", cursors[quiet.ID], 3)
	}
	cursors, err := f.store.CursorsAt(f.t.Context(), people[1].ID, 0)
	must(t, err)
	equal(t, "cursor before everything", cursors[c.ID], 0)
}

// testHorizonOfAChange: a horizon that is read while a change is under way leads back to
// before the change.
func testHorizonOfAChange(t *testing.T, f *fixture) {
	people := f.users("ann", "bob")
	c := f.group(people...)
	var last map[string]int64
	var at chat.Horizon
	must(t, f.store.Change(f.t.Context(), chat.Change{ChatID: c.ID, OpID: NewID()}, func(ctx context.Context, tx chat.Tx) error {
		_, err := tx.Append(ctx, chat.Event{Op: chat.OpChatUpdated, ActorID: people[0].ID, D: c})
		if err == nil {
			last, at, err = f.store.LastSeqs(ctx, people[1].ID)
		}
		return err
	}))
	equal(t, "last seq before the commit", last[c.ID], 3)
	cursors, err := f.store.CursorsAt(f.t.Context(), people[1].ID, at)
	must(t, err)
	if cursors[c.ID] > 3 {
		t.Errorf("the change, which could not be read with the horizon, is below it: cursor %d", cursors[c.ID])
	}
	last, _, err = f.store.LastSeqs(f.t.Context(), people[1].ID)
	must(t, err)
	equal(t, "last seq after the commit", last[c.ID], 4)
}

// testTokens: a list accepts only its own tokens.
func testTokens(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	c := f.group(people...)
	_, next, err := f.store.Users(f.t.Context(), "", chat.Page{Limit: 1})
	must(t, err)
	if next == "" {
		t.Fatal("there is no token")
	}
	lists := map[string]func(p chat.Page) error{
		"users": func(p chat.Page) error { _, _, err := f.store.Users(f.t.Context(), "", p); return err },
		"members": func(p chat.Page) error {
			_, _, err := f.store.Members(f.t.Context(), people[0].ID, c.ID, p)
			return err
		},
		"cursors": func(p chat.Page) error {
			_, _, err := f.store.Cursors(f.t.Context(), people[0].ID, c.ID, p)
			return err
		},
		"chats": func(p chat.Page) error { _, err := f.store.Entries(f.t.Context(), people[0].ID, p); return err },
		"public": func(p chat.Page) error {
			_, _, err := f.store.PublicChats(f.t.Context(), people[0].ID, "", p)
			return err
		},
		"sessions": func(p chat.Page) error {
			_, _, err := f.store.Sessions(f.t.Context(), people[0].ID, p)
			return err
		},
	}
	for name, list := range lists {
		for _, token := range []string{next, "x", "null", "W10", "bnVsbA", "WyJ1c2VycyIsMV0", "WyJ1c2VycyIsbnVsbF0", "WyJ1c2VycyIsIlx1MDAwMCJd", next + "A"} {
			if name == "users" && token == next {
				continue
			}
			if err := list(chat.Page{After: token, Limit: 5}); chat.CodeOf(err) != chat.BadRequest {
				t.Errorf("%s after %q: got %v, want bad_request", name, token, err)
			}
		}
	}
}
