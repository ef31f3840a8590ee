package persistencetest

import (
	"slices"
	"testing"

	"fechatter/chat"
)

func testReactions(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat")
	c := f.group(people[:2]...)
	sent := f.send(c, people[0], "hello")
	id := sent.MessageID
	for _, r := range []struct {
		user  chat.User
		emoji string
	}{{people[1], "👍"}, {people[0], "🎉"}, {people[0], "👍"}} {
		seq, err := f.svc.React(f.t.Context(), r.user.ID, id, r.emoji)
		must(t, err)
		equal(t, "changed", seq > 0, true)
	}
	seq, err := f.svc.React(f.t.Context(), people[0].ID, id, "👍")
	must(t, err)
	equal(t, "again", seq, 0)
	h, err := f.store.History(f.t.Context(), people[1].ID, c.ID, chat.Range{Limit: 10})
	must(t, err)
	got := h.Messages[0].Reactions
	equal(t, "emoji", len(got), 2)
	equal(t, "first", got[0].Emoji == "👍" && got[0].Count == 2 && got[0].Me, true)
	equalSlices(t, "in the order of reacting", got[0].UserIDs, []string{people[1].ID, people[0].ID})
	equal(t, "second", got[1].Emoji == "🎉" && got[1].Count == 1 && !got[1].Me, true)
	reactors := pages(t, func(p chat.Page) ([]string, string, error) {
		return f.svc.Reactors(f.t.Context(), people[1].ID, id, "👍", p)
	})
	equalSlices(t, "reactors", reactors, []string{people[1].ID, people[0].ID})
	seq, err = f.svc.Unreact(f.t.Context(), people[1].ID, id, "👍")
	must(t, err)
	equal(t, "removed", seq > 0, true)
	seq, err = f.svc.Unreact(f.t.Context(), people[1].ID, id, "👍")
	must(t, err)
	equal(t, "removed again", seq, 0)
	_, err = f.svc.React(f.t.Context(), people[2].ID, id, "👍")
	refused(t, err, chat.NotFound)
	for i := range 49 {
		_, err := f.svc.React(f.t.Context(), people[0].ID, id, string(rune(0x1F400+i)))
		if refusedAt := 48; i < refusedAt {
			must(t, err)
		} else {
			refused(t, err, chat.Conflict)
		}
	}
	m, err := f.store.Message(f.t.Context(), people[0].ID, id)
	must(t, err)
	equal(t, "a refused reaction leaves nothing", len(m.Reactions), 50)
	testManyReactors(t, f, people[0], c, id)
}

// testManyReactors: a message names only the first of them.
func testManyReactors(t *testing.T, f *fixture, ann chat.User, c chat.Chat, id string) {
	t.Helper()
	var want []string
	for i := range chat.ReactionUsers + 3 {
		u := f.user("reactor" + string(rune('a'+i)))
		_, _, err := f.svc.AddMember(f.t.Context(), ann.ID, c.ID, u.ID, "")
		must(t, err)
		_, err = f.svc.React(f.t.Context(), u.ID, id, "🎉")
		must(t, err)
		want = append(want, u.ID)
	}
	m, err := f.store.Message(f.t.Context(), want[len(want)-1], id)
	must(t, err)
	i := slices.IndexFunc(m.Reactions, func(r chat.Reaction) bool { return r.Emoji == "🎉" })
	equal(t, "count", m.Reactions[i].Count, chat.ReactionUsers+4)
	equalSlices(t, "named", m.Reactions[i].UserIDs, append([]string{ann.ID}, want[:chat.ReactionUsers-1]...))
	equal(t, "me, though not named", m.Reactions[i].Me, true)
}
