package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
)

// Op names what an event did.
type Op string

// The events of a chat, then the personal ones.
const (
	OpChatCreated     Op = "chat.created"
	OpChatUpdated     Op = "chat.updated"
	OpMemberAdded     Op = "member.added"
	OpMemberUpdated   Op = "member.updated"
	OpMemberRemoved   Op = "member.removed"
	OpMessageCreated  Op = "message.created"
	OpMessageEdited   Op = "message.edited"
	OpMessageDeleted  Op = "message.deleted"
	OpReactionAdded   Op = "reaction.added"
	OpReactionRemoved Op = "reaction.removed"

	OpChatJoined     Op = "chat.joined"
	OpChatLeft       Op = "chat.left"
	OpSessionRevoked Op = "session.revoked"
)

// Event is one change of a chat, or of a user's personal stream.
//
// D is what travels: Chat, MemberEvent, MessageCreated, MessageEdited,
// MessageDeleted, ReactionEvent, one of the personal payloads, or
// json.RawMessage for what was read from the log as it stands there. The
// fields after it say what storage and delivery must know without reading D.
type Event struct {
	Op       Op     `json:"op"`
	StreamID string `json:"chat_id"` // the chat, or the user of a personal stream
	Seq      int64  `json:"seq"`
	TS       Time   `json:"ts"`
	ActorID  string `json:"actor_id"`
	D        any    `json:"d"`

	Personal   bool   `json:"-"`
	Subject    string `json:"-"` // the user whom member.added and member.removed concern
	MessageID  string `json:"-"` // the message that a message or reaction event concerns
	MessageSeq int64  `json:"-"` // and the seq of its creation
	Trace      string `json:"-"` // of an event that is followed, else empty; it is not stored
}

// Encode gives the event's JSON: once per event, the same bytes for everybody.
func (e Event) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the bytes go to sockets, not into a page
	if err := enc.Encode(e); err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.Op, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// MemberEvent is the payload of the member events; a removal has no Role.
type MemberEvent struct {
	UserID string `json:"user_id"`
	Role   Role   `json:"role,omitempty"`
	By     string `json:"by"`
}

// MessageCreated is the message and the key that settles the sender's pending item.
type MessageCreated struct {
	Message
	Key string `json:"key"`
}

// MessageEdited is the payload of message.edited.
type MessageEdited struct {
	MessageID   string   `json:"message_id"`
	MessageSeq  int64    `json:"message_seq"`
	Body        string   `json:"body"`
	Mentions    []string `json:"mentions"`
	MentionsAll bool     `json:"mentions_all,omitempty"`
	Version     int64    `json:"version"`
	EditedAt    Time     `json:"edited_at"`
}

// MessageDeleted is the payload of message.deleted.
type MessageDeleted struct {
	MessageID  string `json:"message_id"`
	MessageSeq int64  `json:"message_seq"`
	Version    int64  `json:"version"`
	DeletedAt  Time   `json:"deleted_at"`
}

// ReactionEvent is the payload of the reaction events.
type ReactionEvent struct {
	MessageID  string `json:"message_id"`
	MessageSeq int64  `json:"message_seq"`
	UserID     string `json:"user_id"`
	Emoji      string `json:"emoji"`
}

// ChatJoined, ChatLeft and SessionRevoked are the payloads of personal events as
// they are stored and passed between nodes. They are wake-ups: a connection is
// told what the database says when it looks.
type (
	ChatJoined struct {
		ChatID string `json:"chat_id"`
		Seq    int64  `json:"seq"`
	}
	ChatLeft struct {
		ChatID string `json:"chat_id"`
		Seq    int64  `json:"seq"`
	}
	SessionRevoked struct {
		SessionID string `json:"session_id"`
	}
)

// EventPage is a part of a chat's log, consecutive from the seq asked for.
type EventPage struct {
	Events  []Event
	LastSeq int64
	Epoch   string
	Trimmed bool // the log no longer reaches down to the seq asked for; Events is empty
}

// Epoch names the history that the database holds, with the time of its clock.
func (s *Service) Epoch(ctx context.Context) (epoch string, now Time, err error) {
	return s.store.Epoch(ctx)
}

// Events reads a chat's log after a seq.
func (s *Service) Events(ctx context.Context, userID, chatID string, after int64, limit int) (EventPage, error) {
	if !ValidID(chatID) {
		return EventPage{}, noChat()
	}
	if after < 0 {
		return EventPage{}, Errorf(BadRequest, "after_seq must not be negative")
	}
	return s.store.Events(ctx, userID, chatID, after, limit)
}

// MemberEvents is a part of a chat's log for one user, with the membership read
// in the same snapshot. Who is no member gets nothing else.
type MemberEvents struct {
	Member   bool
	AddedSeq int64
	LastSeq  int64
	Trimmed  bool // the log no longer reaches down to the seq asked for
	Events   []Event
}
