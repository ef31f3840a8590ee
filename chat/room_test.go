package chat_test

import (
	"context"
	"fmt"
	"testing"

	"fechatter/chat"
)

// room is a transaction on one chat, for rules alone: what they need to know, and
// what they wrote. A rule that asks for more panics.
type room struct {
	chat.Tx
	chat    chat.Chat
	members map[string]chat.Member
	counts  map[string]int // chats per user, this one not among them
	message chat.Message
	events  []chat.Event
}

// user gives the n-th user's id.
func user(n int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", n) }

// newRoom makes a chat of the users 1, 2, … with these roles, and a message of
// the first.
func newRoom(kind chat.Kind, roles ...chat.Role) *room {
	r := &room{chat: chat.Chat{ID: user(999), Kind: kind, Name: "n"}, members: map[string]chat.Member{}, counts: map[string]int{}}
	for i, role := range roles {
		r.members[user(i+1)] = chat.Member{UserID: user(i + 1), Role: role}
	}
	r.message = chat.Message{ID: user(998), ChatID: r.chat.ID, SenderID: user(1), Body: "b", Version: 1}
	return r
}

// service is the use cases over the room, with room for 5 members of up to 3 chats.
func (r *room) service() *chat.Service {
	limits := chat.DefaultLimits()
	limits.ChatMembers, limits.ChatsPerUser = 5, 3
	return chat.NewService(roomStore{r: r}, nil, func() string { return user(1000) }, nil, limits)
}

type roomStore struct {
	chat.Store
	r *room
}

func (s roomStore) Change(ctx context.Context, _ chat.Change, fn func(context.Context, chat.Tx) error) error {
	return fn(ctx, s.r)
}

func (s roomStore) PlaceOfMessage(context.Context, string) (string, int64, error) {
	return s.r.chat.ID, 0, nil
}

func (s roomStore) Chat(context.Context, string, string) (chat.Chat, error) { return s.r.chat, nil }

func (s roomStore) Message(context.Context, string, string) (chat.Message, error) {
	return s.r.message, nil
}

func (s roomStore) Entry(context.Context, string, string) (chat.Entry, error) {
	return chat.Entry{Chat: s.r.chat}, nil
}

func (r *room) ChatID() string { return r.chat.ID }

func (r *room) Now() chat.Time { return 1 }

func (r *room) Chat(context.Context) (chat.Chat, error) {
	c := r.chat
	c.MemberCount = len(r.members)
	return c, nil
}

func (r *room) SaveChat(_ context.Context, c chat.Chat) error {
	r.chat = c
	return nil
}

func (r *room) Member(_ context.Context, userID string) (chat.Member, error) {
	if m, ok := r.members[userID]; ok {
		return m, nil
	}
	return chat.Member{}, chat.Errorf(chat.NotFound, "there is no such member")
}

func (r *room) Owners(context.Context) (n int, _ error) {
	for _, m := range r.members {
		if m.Role == chat.RoleOwner {
			n++
		}
	}
	return n, nil
}

func (r *room) InsertMember(ctx context.Context, m chat.Member) error { return r.SaveMember(ctx, m) }

func (r *room) SaveMember(_ context.Context, m chat.Member) error {
	r.members[m.UserID] = m
	return nil
}

func (r *room) DeleteMember(_ context.Context, userID string) error {
	delete(r.members, userID)
	return nil
}

func (r *room) ChatCounts(context.Context, []string) (map[string]int, error) { return r.counts, nil }

func (r *room) Message(context.Context, string) (chat.Message, error) { return r.message, nil }

func (r *room) SaveMessage(_ context.Context, m chat.Message) error {
	r.message = m
	return nil
}

func (r *room) MemberNames(context.Context, []string) (map[string]string, error) { return nil, nil }

func (r *room) Append(_ context.Context, e chat.Event) (int64, error) {
	r.events = append(r.events, e)
	return int64(len(r.events)), nil
}

func (r *room) AppendPersonal(context.Context, string, chat.Event) error { return nil }

// wantCode fails the test unless err has the code; "" is no error. What is refused
// must have left no event.
func (r *room) wantCode(t *testing.T, err error, want chat.Code) {
	t.Helper()
	if got := chat.CodeOf(err); got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	if want != "" && len(r.events) > 0 {
		t.Errorf("refused, but with the events %v", r.events)
	}
}
