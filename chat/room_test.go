package chat_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"fechatter/chat"
)

// room is a transaction on one chat for testing rules: it holds what they read and
// records what they write. A rule that asks for more panics.
type room struct {
	chat.Tx
	chat    chat.Chat
	members map[string]chat.Member
	counts  map[string]int        // chats that users have accepted, not counting this one
	known   map[string]bool       // who knows whoever puts them into the chat
	boxes   map[string]chat.Inbox // of those put in; empty where absent
	unknown map[string]bool       // ids that no user has
	others  map[string]*room      // chats that the change has locked beside this one
	private []string              // the ops of personal events, with their users
	message chat.Message
	events  []chat.Event
}

// user returns the n-th user's id.
func user(n int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", n) }

// newRoom makes a chat with the users 1, 2, … in these roles, and a message by the
// first.
func newRoom(kind chat.Kind, roles ...chat.Role) *room {
	r := &room{chat: chat.Chat{ID: user(999), Kind: kind, Name: "n"}, members: map[string]chat.Member{}, counts: map[string]int{}}
	for i, role := range roles {
		m := chat.Member{UserID: user(i + 1), Role: role, Standing: chat.Accepted}
		switch role {
		case waiting:
			m.Role, m.Standing = member, chat.Requested
		case waitingOwner:
			m.Role, m.Standing = owner, chat.Requested
		}
		r.members[m.UserID] = m
	}
	r.message = chat.Message{ID: user(998), ChatID: r.chat.ID, SenderID: user(1), Body: "b", Version: 1}
	return r
}

// service returns the use cases over the room, limited to 5 members per chat, 3 chats per
// user, and 2 requests.
func (r *room) service() *chat.Service {
	limits := chat.DefaultLimits()
	limits.ChatMembers, limits.ChatsPerUser, limits.Requests = 5, 3, 2
	return chat.NewService(roomStore{r: r}, nil, func() string { return user(1000) }, nil, limits)
}

type roomStore struct {
	chat.Store
	r *room
}

func (s roomStore) Change(ctx context.Context, _ chat.Change, fn func(context.Context, chat.Tx) error) error {
	return fn(ctx, s.r)
}

func (s roomStore) Knowing(context.Context, string, []string) (map[string]bool, error) {
	return s.r.known, nil
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

func (r *room) Beside(chatID string) (chat.Tx, error) {
	if r.others[chatID] == nil {
		return nil, errors.New("not locked: " + chatID)
	}
	return r.others[chatID], nil
}

func (r *room) ChatID() string { return r.chat.ID }

func (r *room) Members() int { return len(r.members) }

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

func (r *room) InsertMembers(ctx context.Context, members []chat.Member) error {
	for _, m := range members {
		_ = r.SaveMember(ctx, m) // never fails
	}
	return nil
}

func (r *room) SaveMember(_ context.Context, m chat.Member) error {
	r.members[m.UserID] = m
	return nil
}

func (r *room) DeleteMember(_ context.Context, userID string) error {
	delete(r.members, userID)
	return nil
}

func (r *room) AcceptedChats(_ context.Context, userID string) (int, error) {
	return r.counts[userID], nil
}

func (r *room) Inboxes(_ context.Context, _ string, userIDs []string) (map[string]chat.Inbox, error) {
	boxes := map[string]chat.Inbox{}
	for _, id := range userIDs {
		if !r.unknown[id] {
			boxes[id] = r.boxes[id]
		}
	}
	return boxes, nil
}

func (r *room) Message(context.Context, string) (chat.Message, error) { return r.message, nil }

func (r *room) SaveMessage(_ context.Context, m chat.Message) error {
	r.message = m
	return nil
}

func (r *room) Spelling(_ context.Context, _, emoji string) (string, error) { return emoji, nil }

func (r *room) AddReaction(context.Context, string, string, string) (added bool, distinct int, err error) {
	return true, 1, nil
}

func (r *room) MemberNames(context.Context, []string) (map[string]string, error) { return nil, nil }

func (r *room) Append(_ context.Context, e chat.Event) (int64, error) {
	r.events = append(r.events, e)
	return int64(len(r.events)), nil
}

func (r *room) AppendPersonal(_ context.Context, userID string, e chat.Event) error {
	r.private = append(r.private, string(e.Op)+" "+userID)
	return nil
}

// wantCode fails the test unless err has the code; "" means no error. A refusal
// must leave no event.
func (r *room) wantCode(t *testing.T, err error, want chat.Code) {
	t.Helper()
	if got := chat.CodeOf(err); got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	if want != "" && len(r.events) > 0 {
		t.Errorf("refused, but with the events %v", r.events)
	}
}
