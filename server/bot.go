package server

import (
	"context"
	"time"

	"fechatter/chat"
	"fechatter/security"
)

type makeBotInput struct {
	Body struct {
		Username    string   `json:"username" required:"true" doc:"3 to 32 characters of a-z 0-9 _ . -"`
		DisplayName string   `json:"display_name,omitempty" doc:"defaults to the username"`
		ChatIDs     []string `json:"chat_ids,omitempty" doc:"at most 20 of your chats, of which the bot is a member at once"`
	}
}

func (s *Server) makeBot(ctx context.Context, in *makeBotInput) (*userOutput, error) {
	b := in.Body
	u, err := s.chat.MakeBot(ctx, administrator(ctx), chat.NewBot{Username: b.Username, DisplayName: b.DisplayName, ChatIDs: b.ChatIDs})
	if err == nil {
		s.note(callerOf(ctx), security.Entry{Event: security.BotMade, Subject: u.ID})
	}
	return &userOutput{Body: u}, err
}

type botsOutput struct {
	Body struct {
		Bots []chat.Bot `json:"bots"`
		Next string     `json:"next,omitempty"`
	}
}

func (s *Server) listBots(ctx context.Context, in *PageInput) (*botsOutput, error) {
	bots, next, err := s.chat.Bots(ctx, administrator(ctx), in.page())
	out := &botsOutput{}
	out.Body.Bots, out.Body.Next = list(bots), next
	return out, err
}

type makeKeyInput struct {
	IDInput
	Body struct {
		Name      string   `json:"name" required:"true" doc:"by which you know it again"`
		Scopes    []string `json:"scopes" required:"true" doc:"of read, send, manage, search, act_as, admin"`
		ExpiresIn int64    `json:"expires_in_s,omitempty" doc:"by default it never expires"`
	}
}

type makeKeyOutput struct {
	Body struct {
		chat.Key
		Token string `json:"key" doc:"shown this once"`
	}
}

func (s *Server) makeKey(ctx context.Context, in *makeKeyInput) (*makeKeyOutput, error) {
	b := in.Body
	lasts := time.Duration(min(max(b.ExpiresIn, -1), 1<<31)) * time.Second
	k, token, err := s.chat.MakeKey(ctx, administrator(ctx), in.ID, chat.NewKey{Name: b.Name, Scopes: b.Scopes, Lasts: lasts})
	if err != nil {
		return nil, err
	}
	s.note(callerOf(ctx), security.Entry{Event: security.KeyMade, Subject: in.ID, Detail: k.Scopes.String()})
	out := &makeKeyOutput{}
	out.Body.Key, out.Body.Token = k, token
	return out, nil
}

type listKeysInput struct {
	IDInput
	PageInput
}

type keysOutput struct {
	Body struct {
		Keys []chat.Key `json:"keys"`
		Next string     `json:"next,omitempty"`
	}
}

func (s *Server) listKeys(ctx context.Context, in *listKeysInput) (*keysOutput, error) {
	keys, next, err := s.chat.Keys(ctx, administrator(ctx), in.ID, in.page())
	out := &keysOutput{}
	out.Body.Keys, out.Body.Next = list(keys), next
	return out, err
}

type keyInput struct {
	IDInput
	KeyID string `path:"key_id"`
}

func (s *Server) revokeKey(ctx context.Context, in *keyInput) (*struct{}, error) {
	err := s.chat.RevokeKey(ctx, administrator(ctx), in.ID, in.KeyID)
	if err == nil {
		s.note(callerOf(ctx), security.Entry{Event: security.KeyRevoked, Subject: in.ID})
	}
	return nil, err
}

// programRoutes are how programs come in.
func (s *Server) programRoutes() []route {
	return []route{
		{"POST", v1 + "/bots", forAdmin, ofRequests, typed(s.makeBot), "Make a bot: a user for a program; for administrators, or for everyone", 201},
		{"GET", v1 + "/bots", forAdmin, ofRequests, typed(s.listBots), "List your bots; administrators: all", 0},
		{"POST", v1 + "/bots/{id}/keys", forAdmin, ofRequests, typed(s.makeKey), "Make a key for a bot", 201},
		{"GET", v1 + "/bots/{id}/keys", forAdmin, ofRequests, typed(s.listKeys), "List the keys of a bot", 0},
		{"DELETE", v1 + "/bots/{id}/keys/{key_id}", forAdmin, ofRequests, typed(s.revokeKey), "Revoke a key: its connections end", 0},
		{"PUT", externalPath + "{external_id}", forAdmin, ofRequests, typed(s.putExternal), "Make or change the user whom your application knows by an id", 200},
		{"POST", adminPath + "/batch", forAdmin, ofRequests, typedFor(batchTimeout, s.batch), "Do up to 200 operations, one after the other", 200},
	}
}
