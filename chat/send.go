package chat

import (
	"context"
	"encoding/json"
	"strings"
)

// Send is a message on its way into the store. MessageID and OpID are generated
// for it; of two sends with the same key only those of the first are kept.
type Send struct {
	ChatID, SenderID, Key, Body, ReplyTo string

	Data        json.RawMessage // nil: none
	Attachments []string        // ids of files

	Files           []File // those of Attachments
	MessageID, OpID string
	Fingerprint     []byte
	MaxChats        int // of the sender's own

	Trace string // trace context of a traced send, otherwise empty; passed on to the event
}

// Size is how many bytes of content a send has.
func (s Send) Size() int { return len(s.Body) + len(s.Data) }

// SendFacts is what the store read for one send under the lock of the chat's stream.
type SendFacts struct {
	Member       bool
	Archived     bool
	Alone        bool // in a direct chat that the other one has left
	Bar          Bar  // in a direct chat
	ReplyToFound bool // a message of the same chat; false without ReplyTo
	Standing     Standing
	Chats        int // of the sender's own; counted only if Standing is not Accepted
}

// Admit decides about a send whose key is new.
func (s Send) Admit(f SendFacts) error {
	switch {
	case !f.Member:
		return noChat()
	case f.Archived:
		return Errorf(Conflict, "this chat is archived")
	case f.Bar != 0:
		return f.Bar.admits(Direct)
	case f.Alone:
		return Errorf(Conflict, "nobody else is in this chat; open it again to write to them")
	case s.ReplyTo != "" && !f.ReplyToFound:
		return Errorf(BadRequest, "reply_to is not a message of this chat")
	case f.Standing != Accepted && f.Chats >= s.MaxChats:
		return tooManyChats(s.MaxChats)
	}
	return nil
}

// AdmitReplay decides about a send whose key is known: the same content is a
// replay, different content is refused.
func (s Send) AdmitReplay(first []byte) error {
	if string(s.Fingerprint) != string(first) {
		return Errorf(KeyReused, "this key was already used for a different message")
	}
	return nil
}

// Sent is the outcome of a send: committed, or found under its key.
type Sent struct {
	MessageID string `json:"message_id"`
	Seq       int64  `json:"seq"`
	TS        Time   `json:"ts"`
	Replayed  bool   `json:"replayed"`

	Members int `json:"-"` // of the chat; 0 for a replay
}

// Send stores a message once per key and returns after the commit. A replay costs
// nothing: what it took is given back, and it is answered even if nothing is left.
// Errors: bad_request, not_found, conflict, key_reused, rate_limited, unavailable,
// overloaded, and unknown_outcome when the commit may have happened.
func (s *Service) Send(ctx context.Context, m Send) (Sent, error) {
	cost, sent, admitted, err := s.beginSend(ctx, &m)
	if !admitted {
		return sent, err
	}
	sent, err = s.store.Send(ctx, m)
	s.settleSend(m.SenderID, cost, sent, err)
	return sent, err
}

// Enqueue is Send without the wait, for a sender who has several messages under way: those to one
// chat are stored in the order of the calls. If it was queued, done is called once with the
// outcome, on any goroutine, also before Enqueue returns; it must not block. Otherwise sent and err
// are the outcome.
func (s *Service) Enqueue(ctx context.Context, m Send, done func(Sent, error)) (sent Sent, queued bool, err error) {
	cost, sent, admitted, err := s.beginSend(ctx, &m)
	if !admitted {
		return sent, false, err
	}
	s.store.Enqueue(m, func(sent Sent, err error) {
		s.settleSend(m.SenderID, cost, sent, err)
		done(sent, err)
	})
	return Sent{}, true, nil
}

// beginSend charges and prepares a send. Of one that the store need not see, sent and err are the
// outcome.
func (s *Service) beginSend(ctx context.Context, m *Send) (cost Cost, sent Sent, admitted bool, err error) {
	cost = costOf(m.Size())
	limited := s.charge(ctx, m.SenderID, cost)
	if limited != nil && CodeOf(limited) != RateLimited {
		return cost, Sent{}, false, limited
	}
	err = s.prepare(m)
	switch {
	case err != nil && limited == nil:
		s.meter.Refund(m.SenderID, Cost{Bytes: cost.Bytes})
		return cost, Sent{}, false, err
	case err != nil:
		return cost, Sent{}, false, err
	case limited != nil:
		sent, err = s.replay(ctx, *m, limited)
		return cost, sent, false, err
	}
	sent, known, err := s.attach(ctx, m)
	if err != nil || known {
		s.settleSend(m.SenderID, cost, sent, err)
		return cost, sent, false, err
	}
	return cost, Sent{}, true, nil
}

// settleSend gives back what a send that was admitted did not use.
func (s *Service) settleSend(senderID string, cost Cost, sent Sent, err error) {
	switch {
	case CodeOf(err) == UnknownOutcome:
	case err != nil:
		s.meter.Refund(senderID, Cost{Bytes: cost.Bytes})
	case sent.Replayed:
		s.meter.Refund(senderID, cost)
	default:
		s.meter.Settle(senderID, cost, sent.Members)
	}
}

// replay returns the outcome of an earlier send with the same key, or the refusal.
func (s *Service) replay(ctx context.Context, m Send, refusal error) (Sent, error) {
	sent, err := s.store.SentByKey(ctx, m)
	if CodeOf(err) == NotFound {
		return Sent{}, refusal
	}
	return sent, err
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
	if err := s.prepareContent(m); err != nil {
		return err
	}
	m.MessageID, m.OpID = s.newID(), s.newID()
	m.MaxChats = s.limits.ChatsPerUser
	return nil
}

func (s *Service) prepareContent(m *Send) (err error) {
	content := []string{m.Body, m.ReplyTo}
	typed := ""
	if m.Data != nil {
		if m.Data, typed, err = CleanData(m.Data); err != nil {
			return err
		}
		content = append(content, string(m.Data))
	}
	if err := s.validAttachments(m.Attachments); err != nil {
		return err
	}
	if len(m.Attachments) > 0 {
		content = append(content, "files "+strings.Join(m.Attachments, " "))
	}
	if m.Body != "" || typed == "" && len(m.Attachments) == 0 {
		if err := s.validBody(m.Body); err != nil {
			return err
		}
	}
	m.Fingerprint = s.fingerprint(content...)
	return nil
}
