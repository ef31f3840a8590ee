package server

import (
	"testing"

	"fechatter/chat"
)

func TestAdministration(t *testing.T) {
	n := newNode(t, nil)
	root, ann := n.person("root"), n.person("ann")
	me := func(p *person) string { return p.want(200, "GET", "/me", nil).field("administrator") }
	if me(root) != "true" || me(ann) != "" {
		t.Errorf("me says administrator %q of the first user and %q of the second", me(root), me(ann))
	}
	list := root.want(200, "GET", "/admin/users?limit=1", nil)
	if first := list.list(t, "users"); len(first) != 1 || first[0]["username"] != "ann" || first[0]["administrator"] != false || list.field("next") == "" {
		t.Errorf("users: %s", list.raw)
	}
	if found := root.want(200, "GET", "/admin/users?q=ROO", nil).list(t, "users"); len(found) != 1 || found[0]["administrator"] != true {
		t.Errorf("found %v", found)
	}
	users := "/admin/users/"
	root.refused(chat.Conflict, "POST", users+root.id+"/suspend", nil)
	root.refused(chat.NotFound, "POST", users+"nobody/suspend", nil)
	ann.refused(chat.Forbidden, "POST", users+root.id+"/suspend", nil)

	if a := root.want(200, "POST", users+ann.id+"/suspend", nil); a.field("suspended_at") == "" {
		t.Errorf("suspended: %s", a.raw)
	}
	ann.refused(chat.Unauthenticated, "GET", "/me", nil)
	ann.refused(chat.Forbidden, "POST", "/sessions", object{"username": "ann", "password": password})
	ann.refused(chat.Unauthenticated, "POST", "/sessions", object{"username": "ann", "password": "wrong password"})
	if a := root.want(200, "POST", users+ann.id+"/restore", nil); a.field("suspended_at") != "" {
		t.Errorf("restored: %s", a.raw)
	}
	ann.logIn()
	if a := root.want(200, "DELETE", users+ann.id+"/sessions", nil); a.field("revoked") != "1" {
		t.Errorf("revoked: %s", a.raw)
	}
	ann.refused(chat.Unauthenticated, "GET", "/me", nil)
	ann.logIn()
	root.want(200, "PUT", users+ann.id+"/administrator", nil)
	ann.want(200, "DELETE", users+root.id+"/administrator", nil)
	root.refused(chat.Forbidden, "GET", "/admin/audit", nil)

	audit := ann.want(200, "GET", "/admin/audit", nil).list(t, "entries")
	if len(audit) != 6 || audit[0]["action"] != "administrator.dismissed" || audit[0]["actor"] != ann.id || audit[0]["subject"] != root.id {
		t.Errorf("audit log: %v", audit)
	}
}

func TestRetentionIsSet(t *testing.T) {
	n := newNode(t, nil)
	root, ann := n.person("root"), n.person("ann")
	id := ann.group()
	root.want(404, "GET", "/chats/"+id, nil)
	for _, days := range []any{-1, 40000, "7", nil} {
		root.refused(chat.BadRequest, "PUT", "/admin/chats/"+id+"/retention", object{"days": days})
	}
	if a := root.want(200, "PUT", "/admin/chats/"+id+"/retention", object{"days": 7}); a.field("retention_days") != "7" || a.field("chat_id") != id {
		t.Errorf("got %s", a.raw)
	}
	if chats := root.want(200, "GET", "/admin/chats", nil).list(t, "chats"); len(chats) != 1 || chats[0]["retention_days"] != 7.0 {
		t.Errorf("chats: %v", chats)
	}
	if a := ann.want(200, "GET", "/chats/"+id, nil); a.body["retention_days"] != nil {
		t.Errorf("members see %s", a.raw)
	}
}
