package persistencetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"fechatter/chat"
)

// folded is what a client knows about a chat from events alone.
type folded struct {
	last     int64
	chat     chat.Chat
	members  map[string]chat.Role
	messages map[int64]*foldedMessage // by seq
}

type foldedMessage struct {
	chat.Message
	reactions map[string][]string // users by emoji
}

func newFolded() *folded {
	return &folded{members: map[string]chat.Role{}, messages: map[int64]*foldedMessage{}}
}

// foldOf begins with a history, as of its LastSeq.
func foldOf(h chat.History) *folded {
	f := newFolded()
	f.last = h.LastSeq
	for _, m := range h.Messages {
		one := &foldedMessage{m, map[string][]string{}}
		for _, r := range m.Reactions {
			one.reactions[r.Emoji] = slices.Clone(r.UserIDs)
		}
		f.messages[m.Seq] = one
	}
	return f
}

// apply applies the next event, as JSON on the wire. It ignores events that it knows.
func (f *folded) apply(t testing.TB, e chat.Event) {
	t.Helper()
	var in struct {
		Seq int64           `json:"seq"`
		D   json.RawMessage `json:"d"`
	}
	must(t, json.Unmarshal([]byte(encode(t, e)), &in))
	if in.Seq <= f.last {
		return
	}
	if in.Seq != f.last+1 {
		t.Fatalf("seq %d follows %d", in.Seq, f.last)
	}
	f.last = in.Seq
	switch e.Op {
	case chat.OpChatCreated, chat.OpChatUpdated:
		must(t, json.Unmarshal(in.D, &f.chat))
	case chat.OpMemberAdded, chat.OpMemberUpdated, chat.OpMemberRemoved:
		var d chat.MemberEvent
		must(t, json.Unmarshal(in.D, &d))
		f.members[d.UserID] = d.Role
		if e.Op == chat.OpMemberRemoved {
			delete(f.members, d.UserID)
		}
	case chat.OpMessageCreated:
		var d chat.MessageCreated
		must(t, json.Unmarshal(in.D, &d))
		f.messages[d.Seq] = &foldedMessage{d.Message, map[string][]string{}}
	case chat.OpMessageEdited:
		var d chat.MessageEdited
		must(t, json.Unmarshal(in.D, &d))
		if m := f.messages[d.MessageSeq]; d.Version >= m.Version {
			m.Body, m.Mentions, m.MentionsAll, m.Version, m.EditedAt = d.Body, d.Mentions, d.MentionsAll, d.Version, &d.EditedAt
		}
	case chat.OpMessageDeleted:
		var d chat.MessageDeleted
		must(t, json.Unmarshal(in.D, &d))
		m := f.messages[d.MessageSeq]
		m.Body, m.Mentions, m.MentionsAll, m.Version, m.DeletedAt = "", nil, false, d.Version, &d.DeletedAt
	case chat.OpReactionAdded, chat.OpReactionRemoved:
		var d chat.ReactionEvent
		must(t, json.Unmarshal(in.D, &d))
		f.messages[d.MessageSeq].react(e.Op, d)
	default:
		t.Fatalf("unknown event %s", e.Op)
	}
}

func (m *foldedMessage) react(op chat.Op, d chat.ReactionEvent) {
	if op == chat.OpReactionAdded {
		m.reactions[d.Emoji] = append(m.reactions[d.Emoji], d.UserID)
		return
	}
	m.reactions[d.Emoji] = slices.DeleteFunc(m.reactions[d.Emoji], func(id string) bool { return id == d.UserID })
	if len(m.reactions[d.Emoji]) == 0 {
		delete(m.reactions, d.Emoji)
	}
}

// text returns everything about the messages, to compare folds and to show differences.
func (f *folded) text() string {
	var b strings.Builder
	for _, seq := range slices.Sorted(maps.Keys(f.messages)) {
		m := f.messages[seq]
		fmt.Fprintf(&b, "%d %s by %s: %q version %d to %q", m.Seq, m.ID, m.SenderID, m.Body, m.Version, m.ReplyTo)
		fmt.Fprintf(&b, " mentions %v all %v created %s edited %s deleted %s", slices.Sorted(slices.Values(m.Mentions)), m.MentionsAll,
			m.CreatedAt, at(m.EditedAt), at(m.DeletedAt))
		for _, emoji := range slices.Sorted(maps.Keys(m.reactions)) {
			fmt.Fprintf(&b, " %s%v", emoji, m.reactions[emoji])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func at(t *chat.Time) string {
	if t == nil {
		return "never"
	}
	return t.String()
}
