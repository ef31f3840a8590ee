package chat_test

import (
	"strings"
	"testing"

	"fechatter/chat"
)

func TestWhoMayChangeAChat(t *testing.T) {
	name := chat.ChatChange{Name: new(" new ")}
	for what, tc := range map[string]struct {
		kind   chat.Kind
		actor  int
		change chat.ChatChange
		want   chat.Code
		events int
	}{
		"an owner":                         {chat.Private, 1, name, "", 1},
		"an admin":                         {chat.Public, 2, name, "", 1},
		"a member":                         {chat.Group, 3, name, chat.Forbidden, 0},
		"an outsider learns nothing":       {chat.Public, 4, name, chat.NotFound, 0},
		"a direct chat cannot be changed":  {chat.Direct, 1, name, chat.Conflict, 0},
		"the same name changes nothing":    {chat.Private, 1, chat.ChatChange{Name: new("n ")}, "", 0},
		"a private chat needs a name":      {chat.Private, 1, chat.ChatChange{Name: new(" ")}, chat.BadRequest, 0},
		"and so does a public one":         {chat.Public, 1, chat.ChatChange{Name: new("")}, chat.BadRequest, 0},
		"a group needs none":               {chat.Group, 1, chat.ChatChange{Name: new("")}, "", 1},
		"101 characters are too long":      {chat.Group, 1, chat.ChatChange{Name: new(strings.Repeat("é", 101))}, chat.BadRequest, 0},
		"100 characters are not":           {chat.Group, 1, chat.ChatChange{Name: new(strings.Repeat("é", 100))}, "", 1},
		"a topic has at most 1,000":        {chat.Group, 1, chat.ChatChange{Topic: new(strings.Repeat("é", 1001))}, chat.BadRequest, 0},
		"archiving is a change":            {chat.Group, 1, chat.ChatChange{Archived: new(true)}, "", 1},
		"unarchiving what is not archived": {chat.Group, 1, chat.ChatChange{Archived: new(false)}, "", 0},
	} {
		t.Run(what, func(t *testing.T) {
			r := newRoom(tc.kind, owner, admin, member)
			_, err := r.service().UpdateChat(t.Context(), user(tc.actor), r.chat.ID, tc.change)
			r.wantCode(t, err, tc.want)
			if len(r.events) != tc.events {
				t.Errorf("%d events, want %d", len(r.events), tc.events)
			}
			if tc.change.Name == name.Name && tc.want == "" && r.chat.Name != "new" {
				t.Errorf("the name is %q", r.chat.Name)
			}
		})
	}
}
