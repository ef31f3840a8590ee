package chat

import "context"

// Message is what a person sent. Seq is that of its creation; a deleted message
// keeps its place with an empty body. Mentions and Reactions are never nil.
type Message struct {
	ID          string     `json:"id"`
	ChatID      string     `json:"chat_id"`
	Seq         int64      `json:"seq"`
	SenderID    string     `json:"sender_id"`
	Body        string     `json:"body"`
	ReplyTo     string     `json:"reply_to,omitempty"`
	Mentions    []string   `json:"mentions"`
	MentionsAll bool       `json:"mentions_all,omitempty"`
	Reactions   []Reaction `json:"reactions"`
	Version     int64      `json:"version"`
	CreatedAt   Time       `json:"created_at"`
	EditedAt    *Time      `json:"edited_at,omitempty"`
	DeletedAt   *Time      `json:"deleted_at,omitempty"`

	// ChangedSeq is the seq of the last event that changed the content.
	ChangedSeq int64 `json:"-"`
}

// Send is a message on its way into the store. MessageID and OpID are made for
// it; of two sends with one key only the first one's are kept.
type Send struct {
	ChatID, SenderID, Key, Body, ReplyTo string

	MessageID, OpID string
	Fingerprint     []byte

	Trace string // of a send that is followed, else empty; it goes on with the event
}

// SendFacts is what the store read for one send under the lock of the chat's stream.
type SendFacts struct {
	Member       bool
	Archived     bool
	ReplyToFound bool // a message of the same chat; false without ReplyTo
}

// Admit decides about a send that no key answered already.
func (s Send) Admit(f SendFacts) error {
	switch {
	case !f.Member:
		return noChat()
	case f.Archived:
		return Errorf(Conflict, "this chat is archived")
	case s.ReplyTo != "" && !f.ReplyToFound:
		return Errorf(BadRequest, "reply_to is not a message of this chat")
	}
	return nil
}

// AdmitReplay decides about a send whose key is known: the same content answers
// what it made, other content is refused.
func (s Send) AdmitReplay(first []byte) error {
	if string(s.Fingerprint) != string(first) {
		return Errorf(KeyReused, "this key was used for another message")
	}
	return nil
}

// Sent is the outcome of a send: committed, or found under its key.
type Sent struct {
	MessageID string `json:"message_id"`
	Seq       int64  `json:"seq"`
	TS        Time   `json:"ts"`
	Replayed  bool   `json:"replayed"`
}

// Range says which part of a history to read: before, after or around a seq, or
// the newest when all are nil. Limit is at least 1.
type Range struct {
	Before, After, Around *int64
	Limit                 int
}

// History is a part of a chat's messages in seq order, as of LastSeq. HasMore
// speaks of the direction read; HasBefore and HasAfter are set for Around.
type History struct {
	Messages            []Message
	HasMore             bool
	HasBefore, HasAfter bool
	LastSeq             int64
	Epoch               string
}

// Send stores a message once per key and answers after the commit. Errors:
// bad_request, not_found, conflict, key_reused, unavailable, overloaded, and
// unknown_outcome when the commit may have happened.
func (s *Service) Send(ctx context.Context, m Send) (Sent, error) {
	if err := s.prepare(&m); err != nil {
		return Sent{}, err
	}
	return s.store.Send(ctx, m)
}

// Replay answers a send from its key alone: found is false when the key is new.
// A rate limit asks it before it refuses, for a replay costs nothing.
func (s *Service) Replay(ctx context.Context, m Send) (sent Sent, found bool, err error) {
	if err := s.prepare(&m); err != nil {
		return Sent{}, false, err
	}
	sent, err = s.store.SentByKey(ctx, m)
	if CodeOf(err) == NotFound {
		return Sent{}, false, nil
	}
	return sent, err == nil, err
}

func (s *Service) prepare(m *Send) error {
	if !ValidKey(m.Key) {
		return Errorf(BadRequest, "key must be 1 to 64 characters from 0x21 to 0x7E")
	}
	if !ValidID(m.ChatID) {
		return noChat()
	}
	if m.ReplyTo != "" && !ValidID(m.ReplyTo) {
		return Errorf(BadRequest, "reply_to is not a message of this chat")
	}
	if err := s.validBody(m.Body); err != nil {
		return err
	}
	m.MessageID, m.OpID = s.newID(), s.newID()
	m.Fingerprint = s.fingerprint(m.Body, m.ReplyTo)
	return nil
}

// Message gives one message as a member sees it.
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
		return History{}, Errorf(BadRequest, "at most one of before_seq, after_seq and around_seq")
	}
	return s.store.History(ctx, userID, chatID, r)
}

// Edit replaces the body of one's own message. version is the one that the
// caller saw; when it is old the conflict carries the current message, unless
// the last edit already made this body of that version. It answers the seq of
// the event that did it.
func (s *Service) Edit(ctx context.Context, userID, messageID, body string, version int64) (m Message, seq int64, err error) {
	if err := s.validBody(body); err != nil {
		return Message{}, 0, err
	}
	if version < 1 {
		return Message{}, 0, Errorf(BadRequest, "version must be at least 1")
	}
	err = s.changeMessage(ctx, userID, messageID, func(ctx context.Context, tx Tx, _ Chat, _ Member, stored Message) error {
		m = stored
		switch {
		case m.SenderID != userID:
			return Errorf(Forbidden, "only the sender edits a message")
		case m.DeletedAt != nil:
			return conflictWith(m, "this message was deleted")
		case m.Version == version+1 && m.Body == body && m.EditedAt != nil:
			seq = m.ChangedSeq
			return nil
		case m.Version != version:
			return conflictWith(m, "this message was changed meanwhile")
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

// Delete empties a message: the sender's own, or anyone's for admins. Again, it
// answers the same seq.
func (s *Service) Delete(ctx context.Context, userID, messageID string) (seq int64, err error) {
	err = s.changeMessage(ctx, userID, messageID, func(ctx context.Context, tx Tx, _ Chat, actor Member, m Message) error {
		if m.SenderID != userID && !actor.Role.administers() {
			return Errorf(Forbidden, "this needs the role admin or owner")
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

// erase empties a message and answers the seq of the event that did it.
func erase(ctx context.Context, tx Tx, actorID string, m Message) (seq int64, err error) {
	now := tx.Now()
	m.Body, m.Mentions, m.MentionsAll = "", []string{}, false
	m.Version, m.DeletedAt = m.Version+1, &now
	seq, err = tx.Append(ctx, Event{Op: OpMessageDeleted, ActorID: actorID, MessageID: m.ID, MessageSeq: m.Seq,
		D: MessageDeleted{MessageID: m.ID, MessageSeq: m.Seq, Version: m.Version, DeletedAt: now}})
	if err != nil {
		return 0, err
	}
	m.ChangedSeq = seq
	return seq, tx.SaveMessage(ctx, m)
}

// changeMessage runs fn on a message under the lock of its chat, for members.
func (s *Service) changeMessage(ctx context.Context, userID, messageID string,
	fn func(context.Context, Tx, Chat, Member, Message) error) error {
	if !ValidID(messageID) {
		return noMessage()
	}
	chatID, _, err := s.store.PlaceOfMessage(ctx, messageID)
	if err != nil {
		return err
	}
	return s.change(ctx, chatID, nil, func(ctx context.Context, tx Tx) error {
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
