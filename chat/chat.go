package chat

import (
	"context"
	"strings"
)

// Kind is the sort of conversation that a chat is.
type Kind string

// The kinds of chats.
const (
	Direct  Kind = "direct"  // two people, one chat per pair
	Group   Kind = "group"   // by invitation, name optional
	Private Kind = "private" // by invitation, named
	Public  Kind = "public"  // named, anyone may join
)

// MaxMemberIDs is the size up to which a chat names its members in MemberIDs.
// The members of a larger one come in pages.
const MaxMemberIDs = 1000

// Chat is a conversation. MemberIDs is set for direct chats, and for groups of at
// most MaxMemberIDs members.
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
	Hidden       bool     `json:"hidden,omitempty"`  // out of the list until the next message
	Request      bool     `json:"request,omitempty"` // waits for the member to accept it
	AddedSeq     int64    `json:"added_seq"`
	LastMessage  *Message `json:"last_message,omitempty"`
}

// EntryPage is part of a user's list of chats. Next is "" at the end.
type EntryPage struct {
	Entries []Entry
	Epoch   string
	Next    string
	Horizon Horizon // of the snapshot
}

// Horizon is a place in the history of a whole database, counted and not timed, since
// clocks go back: every transaction with a lower number had ended when it was read.
type Horizon int64

// PublicChat is a chat that anyone may join, as the directory shows it.
type PublicChat struct {
	Chat
	Members int  `json:"members"`
	Joined  bool `json:"joined"`
}

// ChatChange is a change to a chat by one of its admins; nil leaves a field alone.
type ChatChange struct {
	Name, Topic *string
	Archived    *bool
}

const (
	maxChatName = 100
	maxTopic    = 1000
	// LastMessageRunes is the number of characters after which the body of an
	// entry's last message is cut.
	LastMessageRunes = 200
)

// Entry returns one chat as the user sees it. Errors: not_found for a non-member.
func (s *Service) Entry(ctx context.Context, userID, chatID string) (Entry, error) {
	if !ValidID(chatID) {
		return Entry{}, noChat()
	}
	return s.store.Entry(ctx, userID, chatID)
}

// Entries lists the user's chats, newest activity first.
func (s *Service) Entries(ctx context.Context, userID string, p Page) (EntryPage, error) {
	return s.store.Entries(ctx, userID, p)
}

// AllEntries returns every chat of the user in one snapshot, newest activity
// first: what a resume starts from.
func (s *Service) AllEntries(ctx context.Context, userID string) (EntryPage, error) {
	return s.store.AllEntries(ctx, userID)
}

// CursorsAt returns, for each chat of the user, a seq up to which everything could be
// read when the horizon was.
func (s *Service) CursorsAt(ctx context.Context, userID string, at Horizon) (map[string]int64, error) {
	return s.store.CursorsAt(ctx, userID, at)
}

// LastSeqs returns the last seq of each chat of the user, with the horizon.
func (s *Service) LastSeqs(ctx context.Context, userID string) (map[string]int64, Horizon, error) {
	return s.store.LastSeqs(ctx, userID)
}

// ChatIDs returns the ids of the user's chats in no particular order.
func (s *Service) ChatIDs(ctx context.Context, userID string) ([]string, error) {
	return s.store.ChatIDs(ctx, userID)
}

// PublicChats lists the chats that anyone may join, by name.
func (s *Service) PublicChats(ctx context.Context, userID, q string, p Page) ([]PublicChat, string, error) {
	if err := validText("q", q, 0, maxChatName); err != nil {
		return nil, "", err
	}
	return s.store.PublicChats(ctx, userID, strings.TrimSpace(q), p)
}

// UpdateChat changes a chat; for its admins. A change without effect makes no event.
func (s *Service) UpdateChat(ctx context.Context, userID, chatID string, ch ChatChange) (Chat, error) {
	if !ValidID(chatID) {
		return Chat{}, noChat()
	}
	cost := costOf(lengthOf(ch.Name) + lengthOf(ch.Topic))
	err := s.change(ctx, userID, Change{ChatID: chatID}, cost, func(ctx context.Context, tx Tx) error {
		c, m, err := authorize(ctx, tx, userID)
		switch {
		case err != nil:
			return err
		case c.Kind == Direct:
			return Errorf(Conflict, "a direct chat cannot be changed")
		case !m.Role.administers():
			return Errorf(Forbidden, "this requires the role admin or owner")
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

func lengthOf(s *string) int {
	if s == nil {
		return 0
	}
	return len(*s)
}

func applyChange(c *Chat, ch ChatChange) error {
	if ch.Name != nil {
		minName := 1
		if c.Kind == Group {
			minName = 0
		}
		name, err := cleanName("name", *ch.Name, minName, maxChatName)
		if err != nil {
			return err
		}
		c.Name = name
	}
	if ch.Topic != nil {
		topic, err := cleanText("topic", *ch.Topic, maxTopic)
		if err != nil {
			return err
		}
		c.Topic = topic
	}
	if ch.Archived != nil {
		c.Archived = *ch.Archived
	}
	return nil
}

func noChat() error { return Errorf(NotFound, "there is no such chat") }
