package server

import (
	"context"

	"fechatter/chat"
)

type entryOutput struct {
	Body chat.Entry
}

type entriesOutput struct {
	Body struct {
		Chats []chat.Entry `json:"chats"`
		Epoch string       `json:"epoch"`
		Next  string       `json:"next,omitempty"`
	}
}

func (s *Server) listChats(ctx context.Context, in *PageInput) (*entriesOutput, error) {
	page, err := s.chat.Entries(ctx, callerOf(ctx).userID(), in.page())
	out := &entriesOutput{}
	out.Body.Chats, out.Body.Epoch, out.Body.Next = list(page.Entries), page.Epoch, page.Next
	return out, err
}

type createChatInput struct {
	Key  string `header:"Idempotency-Key" doc:"1 to 64 characters from 0x21 to 0x7E"`
	Body struct {
		Kind      chat.Kind `json:"kind" required:"true"`
		Name      string    `json:"name,omitempty"`
		Topic     string    `json:"topic,omitempty"`
		MemberIDs []string  `json:"member_ids,omitempty" maxItems:"100" doc:"besides the caller, who is always a member"`
	}
}

type createChatOutput struct {
	Status   int
	Replayed string `header:"Idempotent-Replayed"`
	Body     chat.Chat
}

func (s *Server) createChat(ctx context.Context, in *createChatInput) (*createChatOutput, error) {
	b, me := in.Body, callerOf(ctx).userID()
	people := 1 + len(b.MemberIDs)
	if err := s.chargePeople(me, people); err != nil {
		return nil, err
	}
	c, created, err := s.chat.CreateChat(ctx, me, chat.NewChat{Kind: b.Kind, Name: b.Name, Topic: b.Topic, MemberIDs: b.MemberIDs, Key: in.Key})
	if err != nil {
		return nil, err
	}
	out := &createChatOutput{Status: 201, Body: c}
	if !created {
		if c.Kind != chat.Direct { // which may have been opened again
			s.refundPeople(me, people)
		}
		out.Status = 200
		if in.Key != "" && c.Kind != chat.Direct {
			out.Replayed = "true"
		}
	}
	return out, nil
}

type listPublicInput struct {
	Q string `query:"q" doc:"part of a name; empty: all"`
	PageInput
}

type publicChatsOutput struct {
	Body struct {
		Chats []chat.PublicChat `json:"chats"`
		Next  string            `json:"next,omitempty"`
	}
}

func (s *Server) listPublicChats(ctx context.Context, in *listPublicInput) (*publicChatsOutput, error) {
	chats, next, err := s.chat.PublicChats(ctx, callerOf(ctx).userID(), in.Q, in.page())
	out := &publicChatsOutput{}
	out.Body.Chats, out.Body.Next = list(chats), next
	return out, err
}

func (s *Server) getChat(ctx context.Context, in *IDInput) (*entryOutput, error) {
	e, err := s.chat.Entry(ctx, callerOf(ctx).userID(), in.ID)
	return &entryOutput{Body: e}, err
}

type updateChatInput struct {
	IDInput
	Body struct {
		Name     *string `json:"name,omitempty"`
		Topic    *string `json:"topic,omitempty"`
		Archived *bool   `json:"archived,omitempty"`
	}
}

func (s *Server) updateChat(ctx context.Context, in *updateChatInput) (*entryOutput, error) {
	b, me := in.Body, callerOf(ctx).userID()
	if _, err := s.chat.UpdateChat(ctx, me, in.ID, chat.ChatChange{Name: b.Name, Topic: b.Topic, Archived: b.Archived}); err != nil {
		return nil, err
	}
	return s.getChat(ctx, &in.IDInput)
}

func (s *Server) joinChat(ctx context.Context, in *IDInput) (*entryOutput, error) {
	e, err := s.chat.Join(ctx, callerOf(ctx).userID(), in.ID)
	return &entryOutput{Body: e}, err
}
