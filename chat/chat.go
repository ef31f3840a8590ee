package chat

import (
	"context"
	"strings"
)

// Kind is what sort of conversation a chat is.
type Kind string

// The kinds of chats.
const (
	Direct  Kind = "direct"  // two people, one chat per pair
	Group   Kind = "group"   // by invitation, name optional
	Private Kind = "private" // by invitation, named
	Public  Kind = "public"  // named, anyone may join
)

// MaxMemberIDs is the size up to which a chat names its members in MemberIDs.
// Who wants those of a larger one pages through them.
const MaxMemberIDs = 1000

// Chat is a conversation. MemberIDs is there for direct chats, and for groups of
// at most MaxMemberIDs.
type Chat struct {
	ID          string   `json:"id"`
	Kind        Kind     `json:"kind"`
	Name        string   `json:"name"`
	Topic       string   `json:"topic"`
	CreatedBy   string   `json:"created_by"`
	CreatedAt   Time     `json:"created_at"`
	Archived    bool     `json:"archived"`
	MemberCount int      `json:"member_count"`
	MemberIDs   []string `json:"member_ids,omitempty"`
}

// Entry is a chat as one of its members sees it in the list of chats.
type Entry struct {
	Chat
	LastSeq      int64    `json:"last_seq"`
	ReadSeq      int64    `json:"read_seq"`
	DeliveredSeq int64    `json:"delivered_seq"`
	Unread       int64    `json:"unread"`
	Mentions     int64    `json:"mentions"`
	Role         Role     `json:"role"`
	Muted        bool     `json:"muted"`
	AddedSeq     int64    `json:"added_seq"`
	LastMessage  *Message `json:"last_message,omitempty"`
}

// EntryPage is a part of a user's list of chats. Next is "" at the end.
type EntryPage struct {
	Now     Time // the database's clock at the snapshot
	Entries []Entry
	Epoch   string
	Next    string
}

// PublicChat is a chat that anybody may join, as the directory shows it.
type PublicChat struct {
	Chat
	Members int  `json:"members"`
	Joined  bool `json:"joined"`
}

// ChatChange is an admin's change of a chat; nil leaves a field alone.
type ChatChange struct {
	Name, Topic *string
	Archived    *bool
}

const (
	maxChatName = 100
	maxTopic    = 1000
	// LastMessageRunes is where the body of an entry's last message is cut.
	LastMessageRunes = 200
)

// Entry gives one chat as the user sees it; not_found when not a member.
func (s *Service) Entry(ctx context.Context, userID, chatID string) (Entry, error) {
	if !ValidID(chatID) {
		return Entry{}, noChat()
	}
	return s.store.Entry(ctx, userID, chatID)
}

// Entries lists the user's chats, the newest activity first.
func (s *Service) Entries(ctx context.Context, userID string, p Page) (EntryPage, error) {
	return s.store.Entries(ctx, userID, p)
}

// AllEntries gives every chat of the user in one snapshot, the newest activity
// first: what a resume starts from.
func (s *Service) AllEntries(ctx context.Context, userID string) (EntryPage, error) {
	return s.store.AllEntries(ctx, userID)
}

// CursorsAt gives, for each chat of the user, the last seq of before an instant
// of the database's clock.
func (s *Service) CursorsAt(ctx context.Context, userID string, at Time) (map[string]int64, error) {
	return s.store.CursorsAt(ctx, userID, at)
}

// ChatIDs gives the ids of the chats that the user is a member of, in no order.
func (s *Service) ChatIDs(ctx context.Context, userID string) ([]string, error) {
	return s.store.ChatIDs(ctx, userID)
}

// PublicChats lists the chats that anybody may join, by name.
func (s *Service) PublicChats(ctx context.Context, userID, q string, p Page) ([]PublicChat, string, error) {
	if err := validText("q", q, 0, maxChatName); err != nil {
		return nil, "", err
	}
	return s.store.PublicChats(ctx, userID, strings.ToLower(strings.TrimSpace(q)), p)
}

// UpdateChat changes a chat; for admins. A change that changes nothing makes no event.
func (s *Service) UpdateChat(ctx context.Context, userID, chatID string, ch ChatChange) (Chat, error) {
	if !ValidID(chatID) {
		return Chat{}, noChat()
	}
	err := s.change(ctx, chatID, nil, func(ctx context.Context, tx Tx) error {
		c, m, err := authorize(ctx, tx, userID)
		switch {
		case err != nil:
			return err
		case c.Kind == Direct:
			return Errorf(Conflict, "a direct chat cannot be changed")
		case !m.Role.administers():
			return Errorf(Forbidden, "this needs the role admin or owner")
		}
		before := c
		if err := applyChange(&c, ch); err != nil {
			return err
		}
		if c.Name == before.Name && c.Topic == before.Topic && c.Archived == before.Archived {
			return nil
		}
		if err := tx.SaveChat(ctx, c); err != nil {
			return err
		}
		_, err = tx.Append(ctx, Event{Op: OpChatUpdated, ActorID: userID, D: c})
		return err
	})
	if err != nil {
		return Chat{}, err
	}
	return s.store.Chat(ctx, userID, chatID)
}

func applyChange(c *Chat, ch ChatChange) error {
	if ch.Name != nil {
		c.Name = strings.TrimSpace(*ch.Name)
		minName := 1
		if c.Kind == Group {
			minName = 0
		}
		if err := validText("name", c.Name, minName, maxChatName); err != nil {
			return err
		}
	}
	if ch.Topic != nil {
		c.Topic = strings.TrimSpace(*ch.Topic)
		if err := validText("topic", c.Topic, 0, maxTopic); err != nil {
			return err
		}
	}
	if ch.Archived != nil {
		c.Archived = *ch.Archived
	}
	return nil
}

func noChat() error { return Errorf(NotFound, "there is no such chat") }
