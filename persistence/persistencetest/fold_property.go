package persistencetest

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"fechatter/chat"
)

// someone is the people in a random chat and what they have made so far.
type someone struct {
	f      *fixture
	chat   chat.Chat
	people []chat.User // the first always owns the chat
	sent   []chat.Send
	made   []chat.Message // with their current versions
	n      int
}

// testFold: after anything that people may do, folded events equal the history: those
// published, those in the log, and those that follow a history read at any moment.
func testFold(t *testing.T, f *fixture) {
	people := f.users("ann", "bob", "cat", "dan")
	rounds := 0
	rapid.Check(t, func(r *rapid.T) {
		if rounds++; rounds > 15 {
			return // a round is hundreds of transactions, and rapid cannot run fewer
		}
		s := &someone{f: f, chat: f.group(people[:3]...), people: people}
		steps := rapid.IntRange(20, 60).Draw(r, "steps")
		look := rapid.IntRange(0, steps-1).Draw(r, "look")
		var early *folded
		for n := range steps {
			if n == look {
				early = foldOf(s.history())
			}
			s.step(r)
		}
		s.compare(r, early)
	})
}

func (s *someone) history() chat.History {
	h, err := s.f.store.History(s.f.t.Context(), s.people[0].ID, s.chat.ID, chat.Range{Limit: 1000})
	must(s.f.t, err)
	return h
}

// step does something random, which may be refused.
func (s *someone) step(r *rapid.T) {
	svc, ctx := s.f.svc, s.f.t.Context()
	u := rapid.SampledFrom(s.people).Draw(r, "user")
	other := rapid.SampledFrom(s.people[1:]).Draw(r, "other")
	body := rapid.SampledFrom([]string{"hello", "@ann and @dan", "@all", "@cat", "🙂"}).Draw(r, "body")
	emoji := rapid.SampledFrom([]string{"👍", "🎉"}).Draw(r, "emoji")
	m := &chat.Message{ID: NewID(), SenderID: u.ID, Version: 1}
	if len(s.made) > 0 {
		m = &s.made[rapid.IntRange(0, len(s.made)-1).Draw(r, "message")]
	}
	s.n++
	var err error
	switch rapid.SampledFrom([]string{"send", "send", "send", "reply", "again", "edit", "edit", "edit", "edit wrongly", "delete", "react", "react", "unreact",
		"add", "remove", "role", "rename"}).Draw(r, "what") {
	case "send":
		err = s.send(chat.Send{ChatID: s.chat.ID, SenderID: u.ID, Key: fmt.Sprint("k", s.n), Body: body})
	case "reply":
		err = s.send(chat.Send{ChatID: s.chat.ID, SenderID: u.ID, Key: fmt.Sprint("k", s.n), Body: body, ReplyTo: m.ID})
	case "again":
		if len(s.sent) > 0 {
			_, err = svc.Send(ctx, rapid.SampledFrom(s.sent).Draw(r, "sent"))
		}
	case "edit":
		*m, err = s.edit(*m, m.SenderID, body, m.Version)
	case "edit wrongly":
		*m, err = s.edit(*m, u.ID, body, rapid.Int64Range(1, 3).Draw(r, "version"))
	case "delete":
		_, err = svc.Delete(ctx, u.ID, m.ID)
	case "react":
		_, err = svc.React(ctx, u.ID, m.ID, emoji)
	case "unreact":
		_, err = svc.Unreact(ctx, u.ID, m.ID, emoji)
	case "add":
		_, _, err = svc.AddMember(ctx, u.ID, s.chat.ID, other.ID, "")
	case "remove":
		_, err = svc.RemoveMember(ctx, u.ID, s.chat.ID, other.ID)
	case "role":
		role := rapid.SampledFrom([]chat.Role{chat.RoleMember, chat.RoleAdmin}).Draw(r, "role")
		_, err = svc.UpdateMember(ctx, u.ID, s.chat.ID, other.ID, chat.MemberChange{Role: &role})
	case "rename":
		_, err = svc.UpdateChat(ctx, u.ID, s.chat.ID, chat.ChatChange{Name: new(fmt.Sprint("name ", s.n))})
	}
	switch chat.CodeOf(err) {
	case "", chat.NotFound, chat.Forbidden, chat.Conflict, chat.BadRequest:
	default:
		r.Fatal(err)
	}
}

func (s *someone) send(m chat.Send) error {
	sent, err := s.f.svc.Send(s.f.t.Context(), m)
	if err == nil {
		s.sent = append(s.sent, m)
		s.made = append(s.made, chat.Message{ID: sent.MessageID, SenderID: m.SenderID, Version: 1})
	}
	return err
}

// edit returns the message as it is afterwards, edited or not.
func (s *someone) edit(m chat.Message, userID, body string, version int64) (chat.Message, error) {
	edited, _, err := s.f.svc.Edit(s.f.t.Context(), userID, m.ID, body, version)
	if err != nil {
		return m, err
	}
	return edited, nil
}

// compare folds the chat's events in three ways.
func (s *someone) compare(r *rapid.T, early *folded) {
	t, ctx, ann := s.f.t, s.f.t.Context(), s.people[0].ID
	h := s.history()
	want := foldOf(h).text()
	log, published := s.f.log(s.chat.ID), s.f.published.of(s.chat.ID)
	live, replayed := newFolded(), newFolded()
	for fold, events := range map[*folded][]chat.Event{live: published, replayed: log, early: log} {
		for _, e := range events {
			fold.apply(t, e)
		}
		if got := fold.text(); got != want || fold.last != h.LastSeq {
			r.Fatalf("folded up to %d:\n%sthe history as of %d:\n%s", fold.last, got, h.LastSeq, want)
		}
	}
	members := map[string]chat.Role{}
	for _, m := range pages(t, func(p chat.Page) ([]chat.Member, string, error) { return s.f.store.Members(ctx, ann, s.chat.ID, p) }) {
		members[m.UserID] = m.Role
	}
	now, err := s.f.store.Chat(ctx, ann, s.chat.ID)
	must(t, err)
	for _, fold := range []*folded{live, replayed} {
		if !maps.Equal(fold.members, members) || now.MemberCount != len(members) || fold.chat.Name != now.Name {
			r.Fatalf("folded: %v of %q; read: %v (%d) of %q", fold.members, fold.chat.Name, members, now.MemberCount, now.Name)
		}
	}
}
