package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"fechatter/chat"
	"fechatter/hooks"
	"fechatter/security"
)

const (
	hookBodyBytes   = 1 << 20
	hooksPerMinute  = 30
	maxHookMentions = 20 // whose names are looked up
)

type makeHookInput struct {
	IDInput
	LinkInput
	Body struct {
		Name string `json:"name" required:"true" doc:"as which it posts"`
	}
}

type makeHookOutput struct {
	Body struct {
		chat.Hook
		URL string `json:"url" doc:"whoever has it may post; shown this once"`
	}
}

func (s *Server) makeHook(ctx context.Context, in *makeHookInput) (*makeHookOutput, error) {
	c := callerOf(ctx)
	if err := s.chargePeople(c.userID(), 1); err != nil {
		return nil, err
	}
	h, secret, err := s.chat.MakeHook(ctx, c.userID(), in.ID, in.Body.Name)
	if err != nil {
		s.refundPeople(c.userID(), 1)
		return nil, err
	}
	s.note(c, security.Entry{Event: security.HookMade, Chat: in.ID, Subject: h.BotID})
	out := &makeHookOutput{}
	out.Body.Hook, out.Body.URL = h, s.base(in.LinkInput)+v1+"/hooks/"+h.ID+"/"+secret
	return out, nil
}

type listHooksInput struct {
	IDInput
	PageInput
}

type hooksOutput struct {
	Body struct {
		Hooks []chat.Hook `json:"hooks"`
		Next  string      `json:"next,omitempty"`
	}
}

func (s *Server) listHooks(ctx context.Context, in *listHooksInput) (*hooksOutput, error) {
	found, next, err := s.chat.Hooks(ctx, callerOf(ctx).userID(), in.ID, in.page())
	out := &hooksOutput{}
	out.Body.Hooks, out.Body.Next = list(found), next
	return out, err
}

type hookInput struct {
	IDInput
	HookID string `path:"hook_id"`
}

func (s *Server) dropHook(ctx context.Context, in *hookInput) (*struct{}, error) {
	err := s.chat.DropHook(ctx, callerOf(ctx).userID(), in.ID, in.HookID)
	if err == nil {
		s.note(callerOf(ctx), security.Entry{Event: security.HookDropped, Chat: in.ID})
	}
	return nil, err
}

// postHook is POST /hooks/{id}/{secret}. It answers as Slack does, in a word.
func (s *Server) postHook(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), commandTimeout)
	defer cancel()
	err := s.useHook(ctx, w, r)
	status, word := http.StatusOK, "ok"
	if err != nil {
		status, word = hookRefusal(err)
		p := problemOf(err)
		for name, values := range p.GetHeaders() {
			w.Header()[name] = values
		}
		if status >= http.StatusInternalServerError {
			noteCause(r.Context(), err)
		}
		s.noteRefusal(callerOf(r.Context()), v1+"/hooks", err)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// An error here means that the client has gone; nobody is left to tell.
	_, _ = io.WriteString(w, word)
}

// hookRefusal returns Slack's status and word for an error.
func hookRefusal(err error) (status int, word string) {
	switch chat.CodeOf(err) {
	case chat.NotFound:
		return http.StatusNotFound, "no_service"
	case chat.Conflict:
		return http.StatusGone, "channel_is_archived"
	case chat.BadRequest:
		if errors.Is(err, hooks.ErrNoText) {
			return http.StatusBadRequest, hooks.ErrNoText.Error()
		}
		return http.StatusBadRequest, hooks.ErrPayload.Error()
	}
	return statusOf(chat.CodeOf(err)), string(chat.CodeOf(err))
}

func (s *Server) useHook(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	h, err := s.chat.UseHook(ctx, r.PathValue("id"), r.PathValue("secret"))
	if chat.CodeOf(err) == chat.NotFound {
		if limited := s.rates.logins.charge(callerOf(ctx).from); limited != nil { // whoever guesses
			return limited
		}
	}
	if err != nil {
		return err
	}
	if err := s.rates.hooks.charge(h.ID); err != nil {
		return err
	}
	m, err := s.readHook(ctx, w, r)
	if err != nil {
		return err
	}
	key := cmp.Or(r.Header.Get("Idempotency-Key"), uuid.NewString())
	if _, err = s.send(ctx, chat.Send{ChatID: h.ChatID, SenderID: h.BotID, Key: key, Body: m.Body, Data: hookData(m)}); err != nil {
		return err
	}
	if err := s.chat.UsedHook(ctx, h); err != nil { // it has posted all the same
		s.log.Warn("note the use of a hook", "error", err)
	}
	return nil
}

// readHook reads what a program sends, as JSON or as a form.
func (s *Server) readHook(ctx context.Context, w http.ResponseWriter, r *http.Request) (hooks.Message, error) {
	body, err := s.readAll(w, r, hookBodyBytes)
	if err != nil {
		return hooks.Message{}, err
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	document, err := hooks.Document(body, kind != "application/json")
	if err != nil {
		return hooks.Message{}, chat.Wrap(chat.BadRequest, err, "not what Slack takes")
	}
	asked := 0
	m, err := hooks.Read(document, s.limits.BodyBytes, func(username string) bool {
		asked++
		return asked <= maxHookMentions && s.chat.HasUser(ctx, username)
	})
	if err != nil {
		return hooks.Message{}, chat.Wrap(chat.BadRequest, err, "not what Slack takes")
	}
	return m, nil
}

// hookData is what a page may show beside the text: as whom the program wants to appear.
func hookData(m hooks.Message) json.RawMessage {
	as := map[string]string{}
	for name, value := range map[string]string{"username": m.Username, "icon_emoji": m.IconEmoji, "icon_url": m.IconURL} {
		if value != "" && len(value) <= 1000 {
			as[name] = strings.ToValidUTF8(value, "")
		}
	}
	if len(as) == 0 {
		return nil
	}
	data, err := json.Marshal(map[string]any{"hook": as})
	if err != nil {
		return nil
	}
	return data
}

// worded binds a handler that answers in plain text.
func worded(h http.HandlerFunc) binding {
	return func(b *builder, r route) {
		plain(h)(b, r)
		op := b.operation(r)
		text := &huma.Schema{Type: huma.TypeString}
		for _, name := range []string{"id", "secret"} {
			op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: text})
		}
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json":                  {Schema: &huma.Schema{Type: huma.TypeObject}},
			"application/x-www-form-urlencoded": {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"payload"}, Properties: map[string]*huma.Schema{"payload": text}}},
		}}
		word := map[string]*huma.MediaType{"text/plain": {Schema: text}}
		op.Responses = map[string]*huma.Response{"200": {Description: "ok", Content: word}, "default": {Description: "What is wrong, in a word", Content: word}}
		b.api.OpenAPI().AddOperation(&op)
	}
}

// hookRoutes are how programs post without knowing the protocol.
func (s *Server) hookRoutes() []route {
	return []route{
		{"POST", v1 + "/chats/{id}/hooks", forManage, ofRequests, typed(s.makeHook), "Make an address by which a program posts as it does to Slack", 201},
		{"GET", v1 + "/chats/{id}/hooks", forManage, ofRequests, typed(s.listHooks), "List the hooks of a chat", 0},
		{"DELETE", v1 + "/chats/{id}/hooks/{hook_id}", forManage, ofRequests, typed(s.dropHook), "Delete a hook; its bot leaves the chat", 0},
		{"POST", v1 + "/hooks/{id}/{secret}", anyone, unlimited, worded(s.postHook), "Post by a hook, in Slack's format", 0},
	}
}
