package server

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"fechatter/chat"
)

// scopesOfRoutes are what keys need; a route that is not here takes no key.
func scopesOfRoutes() map[string]string {
	scopes := map[string]string{}
	for scope, routes := range map[string][]string{
		"read": {"GET /me", "GET /users", "GET /users/{id}", "GET /chats", "GET /chats/public", "GET /chats/{id}", "GET /chats/{id}/members",
			"GET /chats/{id}/messages", "GET /messages/{id}", "GET /messages/{id}/reactions/{emoji}", "PUT /chats/{id}/cursor",
			"GET /chats/{id}/files", "GET /files/{id}", "GET /files/{id}/content", "GET /files/{id}/thumb", "GET /chats/{id}/cursors", "GET /chats/{id}/events", "GET /presence"},
		"send": {"POST /files", "POST /uploads", "HEAD /uploads/{id}", "PATCH /uploads/{id}", "DELETE /uploads/{id}",
			"POST /chats/{id}/messages", "PATCH /messages/{id}", "DELETE /messages/{id}", "PUT /messages/{id}/reactions/{emoji}",
			"DELETE /messages/{id}/reactions/{emoji}", "POST /chats/{id}/typing", "POST /chats/{id}/signals", "PUT /presence"},
		"manage": {"POST /chats", "PATCH /chats/{id}", "POST /chats/{id}/join", "POST /chats/{id}/accept", "POST /chats/{id}/members",
			"POST /chats/{id}/hooks", "GET /chats/{id}/hooks", "DELETE /chats/{id}/hooks/{hook_id}",
			"PATCH /chats/{id}/members/{user_id}", "DELETE /chats/{id}/members/{user_id}"},
		"search": {"GET /search"},
		"admin": {"PATCH /workspace", "POST /admin/users/{id}/password-reset", "GET /messages/{id}/timeline", "POST /bots", "GET /bots",
			"POST /bots/{id}/keys", "GET /bots/{id}/keys", "DELETE /bots/{id}/keys/{key_id}", "PUT /admin/users/by-external-id/{external_id}",
			"POST /admin/batch", "GET /admin/users", "POST /admin/users/{id}/suspend", "POST /admin/users/{id}/restore",
			"PUT /admin/users/{id}/administrator", "DELETE /admin/users/{id}/administrator", "DELETE /admin/users/{id}/sessions",
			"GET /admin/chats", "PUT /admin/chats/{id}/retention", "DELETE /admin/chats/{id}", "GET /admin/jobs",
			"POST /admin/jobs/{kind}/{key}/retry", "DELETE /admin/jobs/{kind}/{key}", "GET /admin/audit"},
	} {
		for _, r := range routes {
			method, path, _ := strings.Cut(r, " ")
			scopes[method+" "+v1+path] = scope
		}
	}
	return scopes
}

func allScopes() []string { return []string{"read", "send", "manage", "search", "act_as", "admin"} }

// key makes a bot with a key, as an administrator.
func (p *person) key(scopes ...string) *person {
	p.n.t.Helper()
	name := "bot-" + uuid.NewString()[24:]
	bot := &person{n: p.n, name: name, id: p.want(201, "POST", "/bots", object{"username": name}).field("id")}
	bot.token = p.grant(bot, scopes...)
	return bot
}

func (p *person) grant(bot *person, scopes ...string) string {
	p.n.t.Helper()
	return p.want(201, "POST", "/bots/"+bot.id+"/keys", object{"name": "test", "scopes": scopes}).field("key")
}

func without(scopes []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return s == one })
}

// TestAuthorizationMatrixOfKeys asks every route of the router's own table by a key that has
// only the scope that it needs, by one that has all others, and in the name of a user.
func TestAuthorizationMatrixOfKeys(t *testing.T) {
	n := newNode(t, nil)
	people, c := n.cast()
	root := people["administrator"]
	bot := root.key("read")
	c.guest = bot
	with, lacking := map[string]string{}, map[string]string{}
	for _, scope := range allScopes() {
		with[scope], lacking[scope] = root.grant(bot, scope), root.grant(bot, without(allScopes(), scope)...)
	}
	every := root.grant(bot, allScopes()...)
	named := map[string]*person{}
	asked := []string{"outsider", "member", "administrator"}
	for _, role := range asked {
		named[role] = &person{n: n, name: "as " + role, id: people[role].id, as: people[role].id, token: every}
	}
	scopes, rows := scopesOfRoutes(), matrix()
	for _, route := range n.server.routes() {
		name := route.method + " " + route.path
		scope := scopes[name]
		delete(scopes, name)
		if !route.access.identified() {
			if scope != "" {
				t.Errorf("%s asks nobody for a scope", name)
			}
			continue
		}
		c.stage(t, people)
		ask := func(who *person, token string) int {
			t.Helper()
			who.token = token
			status := c.ask(t, who, route, rows[name].body)
			if route.method != "GET" && status < 300 {
				c.stage(t, people) // it may have changed something
			}
			return status
		}
		if got := ask(bot, lacking[scope]); scope != "" && got != 403 {
			t.Errorf("%s by a key without %s: got %d", name, scope, got)
		}
		if scope == "" {
			if got := ask(bot, every); got != 403 {
				t.Errorf("%s by a key with every scope: got %d", name, got)
			}
			continue
		}
		want := rows[name].want[slices.Index(roles[:], "member")]
		if scope == "admin" {
			want = rows[name].want[slices.Index(roles[:], "administrator")]
		}
		if got := ask(bot, with[scope]); got != want {
			t.Errorf("%s by a key with %s: got %d, want %d", name, scope, got, want)
		}
		for _, role := range asked {
			want := rows[name].want[slices.Index(roles[:], role)]
			if got := ask(named[role], every); got != want {
				t.Errorf("%s in the name of %s: got %d, want %d", name, role, got, want)
			}
		}
	}
	for name := range scopes {
		t.Errorf("there is no %s", name)
	}
}

// TestAuthorizationMatrixOfKeysOfCommands does the same on a connection.
func TestAuthorizationMatrixOfKeysOfCommands(t *testing.T) {
	n := newNode(t, nil)
	n.runHub()
	people, c := n.cast()
	root := people["administrator"]
	bot := root.key("read")
	c.guest = bot
	scopes := map[string]string{"auth": "any", "ping": "any", "activity": "any", "resume": "read", "presence.watch": "read", "cursor.set": "read",
		"message.send": "send", "message.edit": "send", "message.delete": "send", "reaction.add": "send", "reaction.remove": "send",
		"typing.set": "send", "signal": "send", "presence.set": "send"}
	tokens := map[string]string{}
	for _, scope := range allScopes() {
		tokens[scope] = root.grant(bot, scope)
	}
	for _, row := range commands() {
		scope := scopes[row.op]
		e := commandMatrix()[row.op]
		c.stage(t, people)
		for _, has := range allScopes() {
			bot.token = tokens[has]
			want := e.want[slices.Index(roles[:], "member")]
			if has != scope && scope != "any" {
				want = chat.Forbidden
			}
			if got := c.command(t, bot, row, e.d); got != want {
				t.Errorf("%s by a key with %s: got %q, want %q", row.op, has, got, want)
			}
		}
	}
}
