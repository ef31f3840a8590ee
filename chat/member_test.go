package chat_test

import (
	"testing"

	"fechatter/chat"
)

const (
	owner  = chat.RoleOwner
	admin  = chat.RoleAdmin
	member = chat.RoleMember

	// In a room these stand for a role of somebody for whom the chat is a request.
	waiting      = "waiting"
	waitingOwner = "waiting owner"
)

func roles(r ...chat.Role) []chat.Role { return r }

func TestWhoMayChangeRoles(t *testing.T) {
	for name, tc := range map[string]struct {
		kind          chat.Kind
		roles         []chat.Role
		actor, target int
		role          chat.Role
		want          chat.Code
	}{
		"an owner makes an admin":               {chat.Group, roles(owner, member), 1, 2, admin, ""},
		"an owner makes another owner":          {chat.Group, roles(owner, member), 1, 2, owner, ""},
		"an owner demotes another owner":        {chat.Group, roles(owner, owner), 1, 2, member, ""},
		"an admin makes an admin":               {chat.Group, roles(owner, admin, member), 2, 3, admin, ""},
		"an admin demotes an admin":             {chat.Group, roles(owner, admin, admin), 2, 3, member, ""},
		"nobody grants a role above their own":  {chat.Group, roles(owner, admin, member), 2, 3, owner, chat.Forbidden},
		"nobody raises themselves":              {chat.Group, roles(owner, admin), 2, 2, owner, chat.Forbidden},
		"a member does not raise themselves":    {chat.Group, roles(owner, member), 2, 2, admin, chat.Forbidden},
		"nobody acts on a higher role":          {chat.Group, roles(owner, owner, admin), 3, 1, member, chat.Forbidden},
		"a member changes nobody":               {chat.Group, roles(owner, member, member), 2, 3, admin, chat.Forbidden},
		"stepping down needs no admin":          {chat.Group, roles(owner, admin), 2, 2, member, ""},
		"a member may keep the role they have":  {chat.Group, roles(owner, member), 2, 2, member, ""},
		"the last owner does not step down":     {chat.Group, roles(owner, admin), 1, 1, admin, chat.Conflict},
		"the last owner, alone, steps down":     {chat.Group, roles(owner), 1, 1, member, ""},
		"one of two owners steps down":          {chat.Group, roles(owner, owner), 1, 1, member, ""},
		"a direct chat has no roles":            {chat.Direct, roles(member, member), 1, 1, member, chat.Conflict},
		"an outsider learns nothing":            {chat.Group, roles(owner, member), 3, 2, member, chat.NotFound},
		"a non-member has no role":              {chat.Group, roles(owner), 1, 2, admin, chat.NotFound},
		"an unknown role is refused":            {chat.Group, roles(owner, member), 1, 2, "king", chat.BadRequest},
		"an empty role is refused":              {chat.Group, roles(owner, member), 1, 2, "", chat.BadRequest},
		"public and private chats are the same": {chat.Public, roles(owner, member), 2, 1, member, chat.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(tc.kind, tc.roles...)
			before := r.members[user(tc.target)].Role
			_, err := r.service().UpdateMember(t.Context(), user(tc.actor), r.chat.ID, user(tc.target), chat.MemberChange{Role: &tc.role})
			r.wantCode(t, err, tc.want)
			want := tc.role
			if tc.want != "" {
				want = before
			}
			if got := r.members[user(tc.target)].Role; got != want {
				t.Errorf("the role is %q, want %q", got, want)
			}
			if changed := want != before; changed != (len(r.events) == 1) {
				t.Errorf("%d events", len(r.events))
			}
		})
	}
}

func TestMutedIsOnesOwn(t *testing.T) {
	r := newRoom(chat.Direct, member, member)
	muted := chat.MemberChange{Muted: new(true)}
	_, err := r.service().UpdateMember(t.Context(), user(1), r.chat.ID, user(2), muted)
	r.wantCode(t, err, chat.Forbidden)
	m, err := r.service().UpdateMember(t.Context(), user(1), r.chat.ID, user(1), muted)
	r.wantCode(t, err, "")
	if !m.Muted || !r.members[user(1)].Muted || r.members[user(2)].Muted || len(r.events) != 0 {
		t.Errorf("%+v, %d events", r.members, len(r.events))
	}
}

func TestWhoMayRemove(t *testing.T) {
	for name, tc := range map[string]struct {
		kind          chat.Kind
		roles         []chat.Role
		actor, target int
		want          chat.Code
	}{
		"anyone may leave":                   {chat.Group, roles(owner, member), 2, 2, ""},
		"an admin removes a member":          {chat.Private, roles(owner, admin, member), 2, 3, ""},
		"an admin removes an admin":          {chat.Private, roles(owner, admin, admin), 2, 3, ""},
		"an owner removes an owner":          {chat.Public, roles(owner, owner), 1, 2, ""},
		"a member removes nobody":            {chat.Group, roles(owner, member, member), 2, 3, chat.Forbidden},
		"nobody removes a higher role":       {chat.Group, roles(owner, owner, admin), 3, 1, chat.Forbidden},
		"the last owner does not leave":      {chat.Group, roles(owner, admin), 1, 1, chat.Conflict},
		"one of two owners leaves":           {chat.Group, roles(owner, owner), 1, 1, ""},
		"the last of all leaves":             {chat.Group, roles(owner), 1, 1, ""},
		"a direct chat cannot be left":       {chat.Direct, roles(member, member), 1, 1, chat.Conflict},
		"nobody is removed from one":         {chat.Direct, roles(member, member), 1, 2, chat.Conflict},
		"an outsider learns nothing":         {chat.Group, roles(owner, member), 3, 2, chat.NotFound},
		"a non-member cannot be removed":     {chat.Group, roles(owner), 1, 2, chat.NotFound},
		"a former member cannot leave again": {chat.Group, roles(owner), 2, 2, chat.NotFound},
		"a request can be left":              {chat.Direct, roles(member, waiting), 2, 2, ""},
		"as its only owner, too":             {chat.Group, roles(member, waitingOwner), 2, 2, ""},
		"but the others cannot leave it":     {chat.Direct, roles(member, waiting), 1, 1, chat.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(tc.kind, tc.roles...)
			_, err := r.service().RemoveMember(t.Context(), user(tc.actor), r.chat.ID, user(tc.target))
			r.wantCode(t, err, tc.want)
			if tc.want != "" && len(r.members) != len(tc.roles) {
				t.Error("refused, but the member was removed")
			}
			if _, still := r.members[user(tc.target)]; tc.want == "" && still {
				t.Error("still a member")
			}
		})
	}
}

func TestWhoMayInvite(t *testing.T) {
	const target = 9
	for name, tc := range map[string]struct {
		kind  chat.Kind
		roles []chat.Role
		actor int
		role  chat.Role
		chats int // that the new member is already in; -1: no such user
		want  chat.Code
	}{
		"any member":                   {chat.Group, roles(owner, member), 2, "", 0, ""},
		"up to their own role":         {chat.Private, roles(owner, admin), 2, admin, 0, ""},
		"not above it":                 {chat.Public, roles(owner, admin), 2, owner, 0, chat.Forbidden},
		"no outsider":                  {chat.Public, roles(owner), 2, "", 0, chat.NotFound},
		"not into a direct chat":       {chat.Direct, roles(member, member), 1, "", 0, chat.Conflict},
		"not into a full chat":         {chat.Group, roles(owner, member, member, member, member), 1, "", 0, chat.Conflict},
		"into the last place":          {chat.Group, roles(owner, member, member, member), 1, "", 0, ""},
		"also one with chats enough":   {chat.Group, roles(owner), 1, "", 3, ""},
		"not an unknown user":          {chat.Group, roles(owner), 1, "", -1, chat.NotFound},
		"not with an unknown role":     {chat.Group, roles(owner), 1, "king", 0, chat.BadRequest},
		"not into an archived chat":    {"archived", roles(owner), 1, "", 0, chat.Conflict},
		"as an owner, if one is owner": {chat.Group, roles(owner), 1, owner, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(tc.kind, tc.roles...)
			if tc.kind == "archived" {
				r.chat.Kind, r.chat.Archived = chat.Group, true
			}
			r.counts[user(target)] = max(0, tc.chats)
			r.unknown = map[string]bool{user(target): tc.chats < 0}
			_, added, err := r.service().AddMember(t.Context(), user(tc.actor), r.chat.ID, user(target), tc.role)
			r.wantCode(t, err, tc.want)
			if _, in := r.members[user(target)]; added != (tc.want == "") || in != added {
				t.Errorf("added %v, member %v", added, in)
			}
		})
	}
}

func TestInvitingAgainChangesNothing(t *testing.T) {
	r := newRoom(chat.Group, owner, admin)
	m, added, err := r.service().AddMember(t.Context(), user(1), r.chat.ID, user(2), member)
	r.wantCode(t, err, "")
	if added || m.Role != admin || len(r.events) != 0 {
		t.Errorf("added %v as %s, %d events", added, m.Role, len(r.events))
	}
}

func TestOnlyPublicChatsAreJoined(t *testing.T) {
	for kind, want := range map[chat.Kind]chat.Code{
		chat.Public: "", chat.Private: chat.NotFound, chat.Group: chat.NotFound, chat.Direct: chat.NotFound,
	} {
		r := newRoom(kind, owner)
		r.counts[user(2)] = 0
		_, err := r.service().Join(t.Context(), user(2), r.chat.ID)
		r.wantCode(t, err, want)
		if _, in := r.members[user(2)]; in != (want == "") {
			t.Errorf("%s: member %v", kind, in)
		}
		if _, err := r.service().Join(t.Context(), user(1), r.chat.ID); err != nil {
			t.Errorf("%s: a member joins again: %v", kind, err)
		}
	}
}
