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
	OpChatDeleted     Op = "chat.deleted" // the last one: every membership ends with it
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
	OpBlockAdded     Op = "block.added"
	OpBlockRemoved   Op = "block.removed"
)

// Event is one change in a chat or in a user's personal stream.
//
// D is what travels: Chat, MemberEvent, MessageCreated, MessageEdited,
// MessageDeleted, ReactionEvent, one of the personal payloads, or
// json.RawMessage for what was read from the log as stored. The fields after it
// hold what storage and delivery must know without reading D.
type Event struct {
	Op       Op     `json:"op"`
	StreamID string `json:"chat_id"` // the chat, or the user of a personal stream
	Seq      int64  `json:"seq"`
	TS       Time   `json:"ts"`
	ActorID  string `json:"actor_id"`
	D        any    `json:"d"`

	Personal   bool   `json:"-"`
	Subject    string `json:"-"` // the user that member.added and member.removed are about
	MessageID  string `json:"-"` // the message that a message or reaction event is about
	MessageSeq int64  `json:"-"` // and the seq of its creation
	Trace      string `json:"-"` // trace context of a traced event, otherwise empty; not stored
}

// Encode returns the event's JSON, the same bytes for every recipient: encode once
// per event.
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

// MessageCreated is the message and the key by which the sender's pending item is
// settled.
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

// ChatJoined, ChatLeft, SessionRevoked and BlockChanged are the payloads of personal events as
// they are stored and passed between nodes. They only wake a connection, which
// then acts on what it reads from the database.
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
	BlockChanged struct {
		UserID string `json:"user_id"`
	}
)

// EventPage is part of a chat's log, consecutive from the requested seq.
type EventPage struct {
	Events  []Event
	LastSeq int64
	Epoch   string
	Trimmed bool // the log no longer reaches back to the requested seq; Events is empty
}

// StreamEnd is where the log of a chat or a user ends: its last event, or nothing yet.
type StreamEnd struct {
	Seq int64
	TS  Time
}

// Epoch returns the name of the history that the database holds, and the time on
// its clock.
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

// MemberEvents is part of a chat's log for one user, with the membership read in
// the same snapshot. Everything else is zero for a non-member.
type MemberEvents struct {
	Member   bool
	AddedSeq int64
	LastSeq  int64
	Trimmed  bool // the log no longer reaches back to the requested seq
	Events   []Event
}
