package server

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
)

type sendPayload struct {
	ChatID  string `json:"chat_id" required:"true"`
	Key     string `json:"key" required:"true" doc:"1 to 64 characters from 0x21 to 0x7E, unique per sender and chat, forever"`
	Body    string `json:"body,omitempty" doc:"needed unless there are attachments, or data has a type"`
	ReplyTo string `json:"reply_to,omitempty" doc:"the id of a message of the same chat"`

	Data        json.RawMessage `json:"data,omitempty" doc:"an object of at most 8 KiB, for programs"`
	Attachments []string        `json:"attachments,omitempty" doc:"ids of files"`
}

type editPayload struct {
	MessageID string `json:"message_id" required:"true"`
	Body      string `json:"body" required:"true"`
	Version   int64  `json:"version" required:"true" doc:"the version you edited"`
}

type editedAnswer struct {
	Seq     int64 `json:"seq"`
	Version int64 `json:"version"`
}

func (c *connection) editMessage(ctx context.Context, in editPayload) (editedAnswer, error) {
	_, seq, err := c.server.chat.Edit(ctx, c.user(), in.MessageID, in.Body, in.Version)
	return editedAnswer{Seq: seq, Version: in.Version + 1}, err
}

type messagePayload struct {
	MessageID string `json:"message_id" required:"true"`
}

type seqAnswer struct {
	Seq int64 `json:"seq,omitempty" doc:"missing when nothing changed"`
}

func (c *connection) deleteMessage(ctx context.Context, in messagePayload) (seqAnswer, error) {
	seq, err := c.server.chat.Delete(ctx, c.user(), in.MessageID)
	return seqAnswer{Seq: seq}, err
}

type messageOutput struct {
	Body chat.Message
}

type listMessagesInput struct {
	IDInput
	BeforeSeq seqParam `query:"before_seq"`
	AfterSeq  seqParam `query:"after_seq"`
	AroundSeq seqParam `query:"around_seq"`
	LimitInput
}

type messagesOutput struct {
	Body struct {
		Messages  []chat.Message `json:"messages"`
		HasMore   bool           `json:"has_more" doc:"in the direction asked for; with around_seq, in either"`
		HasBefore *bool          `json:"has_before,omitempty" doc:"with around_seq"`
		HasAfter  *bool          `json:"has_after,omitempty" doc:"with around_seq"`
		LastSeq   int64          `json:"last_seq" doc:"the messages are as of this seq"`
		Epoch     string         `json:"epoch"`
	}
}

func (s *Server) listMessages(ctx context.Context, in *listMessagesInput) (*messagesOutput, error) {
	r := chat.Range{Before: in.BeforeSeq.pointer(), After: in.AfterSeq.pointer(), Around: in.AroundSeq.pointer(), Limit: in.Limit}
	h, err := s.chat.History(ctx, callerOf(ctx).userID(), in.ID, r)
	out := &messagesOutput{}
	b := &out.Body
	b.Messages, b.HasMore, b.LastSeq, b.Epoch = list(h.Messages), h.HasMore, h.LastSeq, h.Epoch
	if r.Around != nil {
		b.HasBefore, b.HasAfter, b.HasMore = &h.HasBefore, &h.HasAfter, h.HasBefore || h.HasAfter
	}
	return out, err
}

type sendMessageInput struct {
	IDInput
	Key  string `header:"Idempotency-Key" required:"true" doc:"1 to 64 characters from 0x21 to 0x7E, unique per sender and chat, forever"`
	Body struct {
		Body    string `json:"body,omitempty" doc:"needed unless there are attachments, or data has a type"`
		ReplyTo string `json:"reply_to,omitempty" doc:"the id of a message of the same chat"`

		Data        json.RawMessage `json:"data,omitempty" doc:"an object of at most 8 KiB, for programs"`
		Attachments []string        `json:"attachments,omitempty" doc:"ids of files"`
	}
}

type sendMessageOutput struct {
	Status   int
	Replayed string `header:"Idempotent-Replayed"`
	Body     sentMessage
}

// sentMessage is the message as it is now, or, for a sender who can no longer see
// it, the outcome of the send.
type sentMessage struct{ v any }

func (m sentMessage) MarshalJSON() ([]byte, error) { return encode(m.v) }

// Schema describes it to huma.
func (m sentMessage) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[chat.Message](), true, ""),
		r.Schema(reflect.TypeFor[chat.Sent](), true, ""),
	}}
}

func (s *Server) sendMessage(ctx context.Context, in *sendMessageInput) (*sendMessageOutput, error) {
	me := callerOf(ctx).userID()
	sent, err := s.send(ctx, chat.Send{ChatID: in.ID, SenderID: me, Key: in.Key, Body: in.Body.Body,
		Data: in.Body.Data, Attachments: in.Body.Attachments, ReplyTo: in.Body.ReplyTo})
	if err != nil {
		return nil, err
	}
	out := &sendMessageOutput{Status: http.StatusCreated, Body: sentMessage{sent}}
	if sent.Replayed {
		out.Status, out.Replayed = http.StatusOK, "true"
	}
	m, err := s.chat.Message(ctx, me, sent.MessageID)
	switch chat.CodeOf(err) {
	case "":
		out.Body.v = m
	case chat.NotFound: // a former member
	default:
		return nil, err
	}
	return out, nil
}

func (s *Server) getMessage(ctx context.Context, in *IDInput) (*messageOutput, error) {
	m, err := s.chat.Message(ctx, callerOf(ctx).userID(), in.ID)
	return &messageOutput{Body: m}, err
}

type editMessageInput struct {
	IDInput
	Body struct {
		Body    string `json:"body" required:"true"`
		Version int64  `json:"version" required:"true" doc:"the version you edited"`
	}
}

func (s *Server) editMessage(ctx context.Context, in *editMessageInput) (*messageOutput, error) {
	m, _, err := s.chat.Edit(ctx, callerOf(ctx).userID(), in.ID, in.Body.Body, in.Body.Version)
	return &messageOutput{Body: m}, err
}

func (s *Server) deleteMessage(ctx context.Context, in *IDInput) (*seqOutput, error) {
	return seqOf(s.chat.Delete(ctx, callerOf(ctx).userID(), in.ID))
}
