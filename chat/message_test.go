package chat_test

import (
	"errors"
	"testing"

	"fechatter/chat"
)

func TestWhoMayEdit(t *testing.T) {
	for name, tc := range map[string]struct {
		actor   int
		change  func(*chat.Message)
		body    string
		version int64
		want    chat.Code
		events  int
	}{
		"the sender":                        {1, nil, "new", 1, "", 1},
		"nobody else, not even an owner":    {2, nil, "new", 1, chat.Forbidden, 0},
		"an outsider learns nothing":        {3, nil, "new", 1, chat.NotFound, 0},
		"an old version":                    {1, func(m *chat.Message) { m.Version = 2 }, "new", 1, chat.Conflict, 0},
		"a future version":                  {1, nil, "new", 2, chat.Conflict, 0},
		"no version":                        {1, nil, "new", 0, chat.BadRequest, 0},
		"the same again":                    {1, func(m *chat.Message) { m.Version, m.Body, m.EditedAt = 2, "new", new(chat.Time(1)) }, "new", 1, "", 0},
		"the same again, but changed since": {1, func(m *chat.Message) { m.Version, m.Body, m.EditedAt = 3, "new", new(chat.Time(1)) }, "new", 1, chat.Conflict, 0},
		"a body of white space":             {1, nil, " \n", 1, chat.BadRequest, 0},
		"a deleted message":                 {1, func(m *chat.Message) { m.DeletedAt = new(chat.Time(1)) }, "new", 1, chat.Conflict, 0},
		"a deleted one, by its new version": {1, func(m *chat.Message) { m.Version, m.DeletedAt = 2, new(chat.Time(1)) }, "new", 2, chat.Conflict, 0},
		"an unchanged body is an edit too":  {1, nil, "b", 1, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(chat.Group, member, owner)
			if tc.change != nil {
				tc.change(&r.message)
			}
			before := r.message
			_, _, err := r.service().Edit(t.Context(), user(tc.actor), r.message.ID, tc.body, tc.version)
			r.wantCode(t, err, tc.want)
			if len(r.events) != tc.events {
				t.Errorf("%d events, want %d", len(r.events), tc.events)
			}
			if edited := r.message.Version != before.Version; edited != (tc.events == 1) {
				t.Errorf("version %d, was %d", r.message.Version, before.Version)
			}
			if e, ok := errors.AsType[*chat.Error](err); ok && tc.want == chat.Conflict && (e.Current == nil || e.Current.Version != before.Version) {
				t.Errorf("the conflict carries %+v", e.Current)
			}
		})
	}
}

func TestWhoMayDelete(t *testing.T) {
	for name, tc := range map[string]struct {
		actor int
		want  chat.Code
	}{
		"the sender": {1, ""}, "an admin": {2, ""}, "an owner": {3, ""}, "another member": {4, chat.Forbidden}, "an outsider": {5, chat.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(chat.Group, member, admin, owner, member)
			seq, err := r.service().Delete(t.Context(), user(tc.actor), r.message.ID)
			r.wantCode(t, err, tc.want)
			if deleted := r.message.DeletedAt != nil; deleted != (tc.want == "") || deleted && (r.message.Body != "" || r.message.Version != 2) {
				t.Errorf("%+v", r.message)
			}
			again, err := r.service().Delete(t.Context(), user(tc.actor), r.message.ID)
			if chat.CodeOf(err) != tc.want || again != seq || tc.want == "" && len(r.events) != 1 {
				t.Errorf("again: seq %d, %v, %d events; the first was %d", again, err, len(r.events), seq)
			}
		})
	}
}
