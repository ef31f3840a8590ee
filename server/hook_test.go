package server

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// poster is a program that has the address of a hook.
type poster struct {
	n    *node
	path string
}

func (p *person) hook(chatID, name string) (poster, answer) {
	p.n.t.Helper()
	a := p.want(201, "POST", "/chats/"+chatID+"/hooks", object{"name": name})
	u, err := url.Parse(a.field("url"))
	if err != nil {
		p.n.t.Fatal(err)
	}
	return poster{p.n, u.Path}, a
}

// post sends a body; headers come in pairs.
func (p poster) post(body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", p.path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return serve(p.n.handler, r)
}

// TestHooks: whoever has the address posts, in Slack's format, as a bot of the hook's own.
func TestHooks(t *testing.T) {
	n := newNode(t, nil)
	ann, bob := n.person("ann"), n.person("bob")
	id := ann.group(bob)
	h, made := ann.hook(id, "Alerts")
	for body, headers := range map[string][]string{
		`{"text":"*hello* <@bob>"}`:                                      nil,
		"payload=" + url.QueryEscape(`{"text":"by a form"}`):             {"Content-Type", "application/x-www-form-urlencoded"},
		`{"text":"by curl -d"}`:                                          {"Content-Type", "application/x-www-form-urlencoded"},
		`{"attachments":[{"color":"danger","title":"Down","text":"x"}]}`: {"Idempotency-Key", "once"},
	} {
		if w := h.post(body, headers...); w.Code != 200 || w.Body.String() != "ok" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	h.post(`{"attachments":[{"color":"danger","title":"Down","text":"x"}]}`, "Idempotency-Key", "once")
	if w := h.post(`{"text":"other"}`, "Idempotency-Key", "once"); w.Code != 422 {
		t.Errorf("another message under the same key: %d %s", w.Code, w.Body)
	}
	h.post(`{"text":"as","username":"CI","icon_emoji":":rocket:"}`)
	texts := map[string]map[string]any{}
	for _, m := range bob.want(200, "GET", "/chats/"+id+"/messages", nil).list(t, "messages") {
		if m["sender_id"] != made.field("bot_id") {
			t.Errorf("sent by %v", m["sender_id"])
		}
		texts[textOf(m["body"])] = m
	}
	for _, want := range []string{"**hello** @bob", "by a form", "by curl -d", "🔴 **Down**\nx", "as"} {
		if texts[want] == nil {
			t.Errorf("there is no %q", want)
		}
	}
	if len(texts) != 5 {
		t.Errorf("%d messages", len(texts))
	}
	if mentions := textOf(texts["**hello** @bob"]["mentions"]); mentions != `["`+bob.id+`"]` {
		t.Errorf("it mentions %s", mentions)
	}
	if as := textOf(texts["as"]["data"]); as != `{"hook":{"icon_emoji":"rocket","username":"CI"}}` {
		t.Errorf("it wants to appear as %s", as)
	}
	u := bob.want(200, "GET", "/users/"+made.field("bot_id"), nil)
	if u.field("display_name") != "Alerts" || u.field("bot") != "true" {
		t.Errorf("its bot is %s", u.raw)
	}
	hooks := ann.want(200, "GET", "/chats/"+id+"/hooks", nil)
	if list := hooks.list(t, "hooks"); len(list) != 1 || list[0]["last_used_at"] == nil || strings.Contains(string(hooks.raw), "url") {
		t.Errorf("listed as %s", hooks.raw)
	}
}

// TestHookRefusals: in Slack's words, and nothing is posted.
func TestHookRefusals(t *testing.T) {
	n := newNode(t, nil)
	ann, bob := n.person("ann"), n.person("bob")
	id := ann.group(bob)
	h, made := ann.hook(id, "Alerts")
	other, _ := ann.hook(ann.group(), "Others")
	asks := func(p poster, body string, status int, word string) {
		t.Helper()
		if w := p.post(body); w.Code != status || w.Body.String() != word {
			t.Errorf("%.60s: %d %s, want %d %s", body, w.Code, w.Body, status, word)
		}
	}
	asks(h, `{}`, 400, "no_text")
	asks(h, `{"text":7`, 400, "invalid_payload")
	asks(h, `{"text":"\u0000"}`, 400, "invalid_payload")
	asks(h, `{"text":"`+strings.Repeat("x", 2<<20)+`"}`, 413, "too_large")
	parts, foreign := strings.Split(h.path, "/"), strings.Split(other.path, "/")
	parts[len(parts)-1] = foreign[len(foreign)-1]
	asks(poster{n, strings.Join(parts, "/")}, `{"text":"x"}`, 404, "no_service")
	asks(poster{n, h.path + "x"}, `{"text":"x"}`, 404, "no_service")

	bob.refused(chat.Forbidden, "POST", "/chats/"+id+"/hooks", object{"name": "Mine"})
	ann.refused(chat.BadRequest, "POST", "/chats/"+id+"/hooks", object{"name": " "})
	direct := ann.want(201, "POST", "/chats", object{"kind": "direct", "member_ids": []string{bob.id}}).field("id")
	ann.refused(chat.Conflict, "POST", "/chats/"+direct+"/hooks", object{"name": "Direct"})

	ann.want(200, "PATCH", "/chats/"+id, object{"archived": true})
	asks(h, `{"text":"x"}`, 410, "channel_is_archived")
	ann.want(200, "PATCH", "/chats/"+id, object{"archived": false})
	ann.want(204, "DELETE", "/chats/"+id+"/hooks/"+made.field("id"), nil)
	asks(h, `{"text":"x"}`, 404, "no_service")
	ann.refused(chat.NotFound, "DELETE", "/chats/"+id+"/hooks/"+made.field("id"), nil)
	if got := ann.want(200, "GET", "/chats/"+id, nil).field("member_count"); got != "2" {
		t.Errorf("%s members are left", got)
	}
	again, second := ann.hook(id, "Again")
	ann.want(200, "DELETE", "/chats/"+id+"/members/"+second.field("bot_id"), nil)
	asks(again, `{"text":"x"}`, 404, "no_service")
	third, made := ann.hook(id, "Third")
	ann.want(200, "POST", "/admin/users/"+made.field("bot_id")+"/suspend", nil)
	asks(third, `{"text":"x"}`, 404, "no_service")
	if got := bob.want(200, "GET", "/chats/"+id+"/messages", nil).list(t, "messages"); len(got) != 0 {
		t.Errorf("posted were %v", got)
	}
}

// TestHooksMentionNobodyUnasked: what an alert quotes notifies nobody.
func TestHooksMentionNobodyUnasked(t *testing.T) {
	n := newNode(t, nil)
	ann, bob := n.person("ann"), n.person("bob")
	id := ann.group(bob)
	h, _ := ann.hook(id, "Alerts")
	for _, body := range []string{
		`{"text":"log: @all @bob failed (@channel)"}`, `{"text":"<https://e.example|@bob>"}`, `{"text":"<@U1|bob> <mailto:x@bob|@bob>"}`,
		`{"attachments":[{"title":"@all","fields":[{"title":"@bob","value":"@bob"}],"footer":"@all","fallback":"@all"}]}`,
		`{"blocks":[{"type":"header","text":{"type":"plain_text","text":"@all"}},{"type":"image","title":{"type":"plain_text","text":"@bob"},"image_url":"https://e.example/x"},
			{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"@bob "},{"type":"link","url":"https://e.example","text":"@all"}]}]}]}`,
	} {
		if w := h.post(body); w.Code != 200 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if got := bob.want(200, "GET", "/chats/"+id, nil).field("mentions"); got != "0" {
		t.Errorf("bob is mentioned %s times", got)
	}
	h.post(`{"text":"<!channel> now"}`)
	if got := bob.want(200, "GET", "/chats/"+id, nil).field("mentions"); got != "1" {
		t.Errorf("a call to all mentions bob %s times", got)
	}
}

func TestHooksAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRates(DefaultLimits(), DefaultQuotas())
		for i := range hooksPerMinute + 1 {
			if err := r.hooks.charge("one"); (err != nil) != (i == hooksPerMinute) {
				t.Errorf("the %dth: %v", i+1, err)
			}
		}
		if err := r.hooks.charge("another"); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		if err := r.hooks.charge("one"); err != nil {
			t.Error(err)
		}
	})
	n := newNode(t, nil)
	ann := n.person("ann")
	h, _ := ann.hook(ann.group(), "Alerts")
	for range hooksPerMinute {
		h.post(`{"text":"x"}`)
	}
	if w := h.post(`{"text":"x"}`); w.Code != 429 || w.Body.String() != "rate_limited" || w.Header().Get("Retry-After") == "" {
		t.Errorf("one too many: %d %s", w.Code, w.Body)
	}
}
