package persistence_test

import (
	"slices"
	"testing"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// TestRefold: names that were stored under other rules are found by today's, and told from those
// that look like them.
func TestRefold(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		rooms, people := persistencetest.Populate(t, store, 1, 3)
		db, ozgur := raw(t, databaseURL), people[0][0]
		execRaw(t, db, "UPDATE users SET display_name = 'Özgür', search = 'x', name_folded = '', name_look = 'x' WHERE id = '"+ozgur.ID+"'")
		execRaw(t, db, "UPDATE chats SET name = 'Café', search = 'café' WHERE id = '"+rooms[0].ID+"'")
		find := func(s *persistence.Store) (users, chats []string) {
			users, err := s.UserIDsNamed(t.Context(), "ozgur", 10)
			if err == nil {
				chats, err = s.ChatIDsNamed(t.Context(), ozgur.ID, []string{"cafe"}, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			return users, chats
		}
		pretend := func(s *persistence.Store) chat.Code {
			_, err := s.SaveProfile(t.Context(), people[0][1].ID, chat.Profile{DisplayName: new("Özgüг")})
			return chat.CodeOf(err)
		}
		again := start(t, persistence.Config{URL: databaseURL}, nobody{})
		if users, chats := find(again); len(users)+len(chats) != 0 {
			t.Errorf("folded again although the rules are the same: %v, %v", users, chats)
		}
		execRaw(t, db, "UPDATE meta SET value = '2' WHERE name = 'fold'")
		again = start(t, persistence.Config{URL: databaseURL}, nobody{})
		if users, chats := find(again); len(users) != 1 || len(chats) != 1 {
			t.Errorf("found %v and %v", users, chats)
		}
		if code := pretend(again); code != chat.Conflict {
			t.Errorf("a name that looks like a stored one: %q", code)
		}
		// A node of the release before knows no looks.
		execRaw(t, db, "UPDATE users SET name_look = '', username_look = '' WHERE id = '"+ozgur.ID+"'")
		if code := pretend(start(t, persistence.Config{URL: databaseURL}, nobody{})); code != chat.Conflict {
			t.Errorf("a name that looks like one of another release: %q", code)
		}
	})
}

// TestStoredNamesAreCleaned: what names may not hold any longer goes, and a chat's log tells it.
func TestStoredNamesAreCleaned(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		rooms, people := persistencetest.Populate(t, store, 2, 2)
		db, ann, bob, room := raw(t, databaseURL), people[0][0], people[0][1], rooms[0].ID
		execRaw(t, db, "UPDATE users SET display_name = $1, status_text = $2 WHERE id = $3", "\u202eEvil\nAnn", "a\u202e\r\nb", ann.ID)
		execRaw(t, db, "UPDATE users SET display_name = $1 WHERE id = $2", "\u200b\u3164", bob.ID)
		execRaw(t, db, "UPDATE chats SET name = $1, topic = $2 WHERE id = $3", "the\u2028 room\u2066", "one\ntwo", room)
		execRaw(t, db, "UPDATE meta SET value = '2' WHERE name = 'fold'")
		before, err := store.Entry(t.Context(), ann.ID, room)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second start finds nothing to clean
			store = start(t, persistence.Config{URL: databaseURL}, nobody{})
		}
		users, err := store.UsersByID(t.Context(), []string{ann.ID, bob.ID})
		if err != nil {
			t.Fatal(err)
		}
		names := []string{users[0].DisplayName, users[0].StatusText, users[1].DisplayName}
		if want := []string{"Evil Ann", "a b", bob.Username}; !slices.Equal(names, want) {
			t.Errorf("users are %q, want %q", names, want)
		}
		entry, err := store.Entry(t.Context(), ann.ID, room)
		if err != nil || entry.Name != "the room" || entry.Topic != "one two" || entry.LastSeq != before.LastSeq+1 {
			t.Errorf("the chat is %+v, %v", entry.Chat, err)
		}
		page, err := store.Events(t.Context(), ann.ID, room, before.LastSeq, 10)
		if err != nil || len(page.Events) != 1 || page.Events[0].Op != chat.OpChatUpdated || page.Events[0].ActorID != "" {
			t.Errorf("the log goes on with %+v, %v", page.Events, err)
		}
		if other, err := store.Entry(t.Context(), people[1][0].ID, rooms[1].ID); err != nil || other.LastSeq != before.LastSeq {
			t.Errorf("the log of a clean chat ends at %d, %v", other.LastSeq, err)
		}
	})
}

// TestSpellingsAreMerged: reactions from the time when ❤ and ❤️ were two are one.
func TestSpellingsAreMerged(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		rooms, people := persistencetest.Populate(t, store, 1, 3)
		db, room := raw(t, databaseURL), rooms[0].ID
		ann, bob, cid := people[0][0].ID, people[0][1].ID, people[0][2].ID
		var messages []string
		for range 2 {
			sent, err := persistencetest.Service(store).Send(t.Context(), chat.Send{ChatID: room, SenderID: ann, Key: persistencetest.NewID(), Body: "x"})
			if err != nil {
				t.Fatal(err)
			}
			messages = append(messages, sent.MessageID)
		}
		for i, r := range []struct{ user, emoji string }{{ann, "❤️"}, {bob, "❤"}, {bob, "❤️"}, {cid, "❤"}, {ann, "❤"}, {ann, "👍"}, {cid, "☺\ufe0e"}, {ann, "x"}} {
			execRaw(t, db, "INSERT INTO reactions (message_id, emoji, user_id, seq) VALUES ($1, $2, $3, $4)", messages[0], r.emoji, r.user, 100+i)
		}
		execRaw(t, db, "INSERT INTO reactions (message_id, emoji, user_id, seq) VALUES ($1, $2, $3, 100)", messages[1], "❤", ann)
		execRaw(t, db, "UPDATE meta SET value = '2' WHERE name = 'fold'")
		store = start(t, persistence.Config{URL: databaseURL}, nobody{})
		seen := map[string][]string{}
		for _, id := range messages {
			m, err := store.Message(t.Context(), ann, id)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range m.Reactions {
				seen[r.Emoji] = append(seen[r.Emoji], r.UserIDs...)
			}
		}
		for emoji, want := range map[string][]string{"❤️": {ann, bob, cid}, "👍": {ann}, "☺": {cid}, "x": {ann}, "❤": {ann}} {
			if !slices.Equal(seen[emoji], want) {
				t.Errorf("%+q is by %v, want %v", emoji, seen[emoji], want)
			}
			delete(seen, emoji)
		}
		if len(seen) > 0 {
			t.Errorf("there are %v too", seen)
		}
		// What is no emoji stays until whoever reacted takes it back.
		svc := persistencetest.Service(store)
		if _, err := svc.React(t.Context(), bob, messages[0], "x"); chat.CodeOf(err) != chat.BadRequest {
			t.Errorf("one more of what is no emoji: %v", err)
		}
		if users, _, err := svc.Reactors(t.Context(), bob, messages[0], "x", chat.Page{Limit: 9}); err != nil || len(users) != 1 {
			t.Errorf("who reacted: %v, %v", users, err)
		}
		if seq, err := svc.Unreact(t.Context(), ann, messages[0], "x"); err != nil || seq == 0 {
			t.Errorf("taken back: %d, %v", seq, err)
		}
		for _, user := range []string{ann, bob} {
			if _, err := svc.Unreact(t.Context(), user, messages[0], "x"); chat.CodeOf(err) != chat.BadRequest {
				t.Errorf("taken back when it is not there: %v", err)
			}
		}
	})
}
