package chat

import (
	"context"
	"encoding/json"
)

// Message is what a person sent. Seq is that of its creation. A deleted message
// keeps its place with an empty body. Mentions and Reactions are never nil.
type Message struct {
	ID       string `json:"id"`
	ChatID   string `json:"chat_id"`
	Seq      int64  `json:"seq"`
	SenderID string `json:"sender_id"`
	Body     string `json:"body"`
	// Data is an object that programs understand, nil where there is none.
	Data        json.RawMessage `json:"data,omitempty"`
	Attachments []File          `json:"attachments,omitempty"`
	ReplyTo     string          `json:"reply_to,omitempty"`
	Mentions    []string        `json:"mentions"`
	MentionsAll bool            `json:"mentions_all,omitempty"`
	Reactions   []Reaction      `json:"reactions"`
	Version     int64           `json:"version"`
	CreatedAt   Time            `json:"created_at"`
	EditedAt    *Time           `json:"edited_at,omitempty"`
	DeletedAt   *Time           `json:"deleted_at,omitempty"`

	// ChangedSeq is the seq of the last event that changed the content.
	ChangedSeq int64 `json:"-"`
}

// Range selects the part of a history to read: before, after or around a seq, or
// the newest messages when all are nil. Limit is at least 1.
type Range struct {
	Before, After, Around *int64
	Limit                 int
}

// History is part of a chat's messages in seq order, as of LastSeq. HasMore is
// about the direction of reading; HasBefore and HasAfter are set for Around.
type History struct {
	Messages            []Message
	HasMore             bool
	HasBefore, HasAfter bool
	LastSeq             int64
	Epoch               string
}

// Message returns one message as a member sees it.
func (s *Service) Message(ctx context.Context, userID, messageID string) (Message, error) {
	if !ValidID(messageID) {
		return Message{}, noMessage()
	}
	return s.store.Message(ctx, userID, messageID)
}

// History reads messages in one snapshot.
func (s *Service) History(ctx context.Context, userID, chatID string, r Range) (History, error) {
	if !ValidID(chatID) {
		return History{}, noChat()
	}
	bounds := 0
	for _, seq := range []*int64{r.Before, r.After, r.Around} {
		if seq == nil {
			continue
		}
		if bounds++; *seq < 0 {
			return History{}, Errorf(BadRequest, "a seq must not be negative")
		}
	}
	if bounds > 1 {
		return History{}, Errorf(BadRequest, "before_seq, after_seq and around_seq exclude each other")
	}
	return s.store.History(ctx, userID, chatID, r)
}

// Edit replaces the body of the user's own message and returns the message and the
// seq of the edit. version is the one that the caller saw. If it is outdated, the
// conflict carries the current message, unless the last edit already turned that
// version into this body: then Edit returns that edit's seq.
func (s *Service) Edit(ctx context.Context, userID, messageID, body string, version int64) (m Message, seq int64, err error) {
	if err := s.validBody(body); err != nil {
		return Message{}, 0, err
	}
	if version < 1 {
		return Message{}, 0, Errorf(BadRequest, "version must be at least 1")
	}
	err = s.changeMessage(ctx, userID, messageID, body, func(ctx context.Context, tx Tx, c Chat, actor Member, stored Message) error {
		m = stored
		if err := actor.Bar.admits(c.Kind); err != nil {
			return err
		}
		switch {
		case m.SenderID != userID:
			return Errorf(Forbidden, "only the sender can edit a message")
		case m.DeletedAt != nil:
			return conflictWith(m, "this message was deleted")
		case m.Version == version+1 && m.Body == body && m.EditedAt != nil:
			seq = m.ChangedSeq
			return nil
		case m.Version != version:
			return conflictWith(m, "this message has changed since that version")
		}
		m.Body = body
		return s.edit(ctx, tx, userID, &m, &seq)
	})
	if err != nil {
		return Message{}, 0, err
	}
	m, err = s.store.Message(ctx, userID, messageID)
	return m, seq, err
}

func (s *Service) edit(ctx context.Context, tx Tx, userID string, m *Message, seq *int64) error {
	known, err := tx.MemberNames(ctx, MentionNames(m.Body))
	if err != nil {
		return err
	}
	now := tx.Now()
	m.Mentions, m.MentionsAll = Mentions(m.Body, known)
	m.Version, m.EditedAt = m.Version+1, &now
	*seq, err = tx.Append(ctx, Event{Op: OpMessageEdited, ActorID: userID, MessageID: m.ID, MessageSeq: m.Seq,
		D: MessageEdited{MessageID: m.ID, MessageSeq: m.Seq, Body: m.Body, Mentions: m.Mentions,
			MentionsAll: m.MentionsAll, Version: m.Version, EditedAt: now}})
	if err != nil {
		return err
	}
	m.ChangedSeq = *seq
	return tx.SaveMessage(ctx, *m)
}

// Delete empties a message: a sender's own, or anyone's for admins. Deleting a
// deleted message returns the same seq.
func (s *Service) Delete(ctx context.Context, userID, messageID string) (seq int64, err error) {
	err = s.changeMessage(ctx, userID, messageID, "", func(ctx context.Context, tx Tx, _ Chat, actor Member, m Message) error {
		if m.SenderID != userID && !actor.Role.administers() {
			return Errorf(Forbidden, "this requires the role admin or owner")
		}
		if m.DeletedAt != nil {
			seq = m.ChangedSeq
			return nil
		}
		seq, err = erase(ctx, tx, userID, m)
		return err
	})
	return seq, err
}

// erase empties a message and returns the seq of its event.
func erase(ctx context.Context, tx Tx, actorID string, m Message) (seq int64, err error) {
	now := tx.Now()
	m.Body, m.Data, m.Attachments, m.Mentions, m.MentionsAll = "", nil, nil, []string{}, false
	m.Version, m.DeletedAt = m.Version+1, &now
	seq, err = tx.Append(ctx, Event{Op: OpMessageDeleted, ActorID: actorID, MessageID: m.ID, MessageSeq: m.Seq,
		D: MessageDeleted{MessageID: m.ID, MessageSeq: m.Seq, Version: m.Version, DeletedAt: now}})
	if err != nil {
		return 0, err
	}
	m.ChangedSeq = seq
	return seq, tx.SaveMessage(ctx, m)
}

// changeMessage runs fn on a message under the lock of its chat, for members. body is
// what will be stored.
func (s *Service) changeMessage(ctx context.Context, userID, messageID, body string,
	fn func(context.Context, Tx, Chat, Member, Message) error) error {
	if !ValidID(messageID) {
		return noMessage()
	}
	chatID, _, err := s.store.PlaceOfMessage(ctx, messageID)
	if err != nil {
		return err
	}
	return s.change(ctx, userID, Change{ChatID: chatID}, costOf(len(body)), func(ctx context.Context, tx Tx) error {
		c, actor, err := authorize(ctx, tx, userID)
		if CodeOf(err) == NotFound {
			return noMessage()
		}
		if err != nil {
			return err
		}
		m, err := tx.Message(ctx, messageID)
		if err != nil {
			return err
		}
		return fn(ctx, tx, c, actor, m)
	})
}

func conflictWith(m Message, detail string) error {
	e := Errorf(Conflict, "%s", detail)
	e.Current = &m
	return e
}

func noMessage() error { return Errorf(NotFound, "there is no such message") }
