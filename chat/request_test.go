package chat_test

import (
	"slices"
	"testing"

	"fechatter/chat"
)

func TestHowOthersComeIn(t *testing.T) {
	const target = 9
	for name, tc := range map[string]struct {
		known bool
		box   chat.Inbox
		want  chat.Standing
	}{
		"a stranger's invitation is a request":              {false, chat.Inbox{}, chat.Requested},
		"an acquaintance's is none":                         {true, chat.Inbox{}, chat.Admitted},
		"nor is it beside requests":                         {true, chat.Inbox{Requested: 2}, chat.Admitted},
		"with one unused chat fewer than the limit":         {true, chat.Inbox{Admitted: 1}, chat.Admitted},
		"but there can be too many that the member left be": {true, chat.Inbox{Admitted: 2}, chat.Requested},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(chat.Group, owner)
			r.known, r.boxes = map[string]bool{user(target): tc.known}, map[string]chat.Inbox{user(target): tc.box}
			_, _, err := r.service().AddMember(t.Context(), user(1), r.chat.ID, user(target), "")
			r.wantCode(t, err, "")
			if got := r.members[user(target)].Standing; got != tc.want {
				t.Errorf("the standing is %d, want %d", got, tc.want)
			}
		})
	}
}

// TestOldestRequestGoes: with two requests waiting, a third declines the oldest one.
func TestOldestRequestGoes(t *testing.T) {
	const target = 9
	oldest := newRoom(chat.Direct, member)
	oldest.chat.ID = user(500)
	oldest.members[user(target)] = chat.Member{UserID: user(target), Role: member, Standing: chat.Requested}
	r := newRoom(chat.Group, owner)
	r.boxes = map[string]chat.Inbox{user(target): {Requested: 2, Oldest: oldest.chat.ID}}
	r.others = map[string]*room{oldest.chat.ID: oldest}
	_, added, err := r.service().AddMember(t.Context(), user(1), r.chat.ID, user(target), "")
	r.wantCode(t, err, "")
	if _, still := oldest.members[user(target)]; still || !added {
		t.Errorf("added %v, still in the oldest %v", added, still)
	}
	if len(oldest.events) != 1 || oldest.events[0].Op != chat.OpMemberRemoved || oldest.events[0].Subject != user(target) {
		t.Errorf("events of the oldest: %v", oldest.events)
	}
	if want := []string{"chat.left " + user(target)}; !slices.Equal(oldest.private, want) {
		t.Errorf("told %v, want %v", oldest.private, want)
	}
}

func TestAccept(t *testing.T) {
	for name, tc := range map[string]struct {
		role  chat.Role
		chats int
		actor int
		want  chat.Code
	}{
		"a request":                {waiting, 0, 2, ""},
		"into the last place":      {waiting, 2, 2, ""},
		"not beyond it":            {waiting, 3, 2, chat.Conflict},
		"what is accepted already": {member, 3, 2, ""},
		"not by an outsider":       {waiting, 0, 3, chat.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(chat.Group, owner, tc.role)
			r.counts[user(2)] = tc.chats
			_, err := r.service().Accept(t.Context(), user(tc.actor), r.chat.ID)
			r.wantCode(t, err, tc.want)
			if accepted := r.members[user(2)].Standing == chat.Accepted; accepted != (tc.want == "") {
				t.Errorf("accepted %v", accepted)
			}
			if len(r.events) != 0 {
				t.Errorf("events %v", r.events)
			}
		})
	}
}

// TestUseOfARequest: writing and reacting accept, and go no further than accepting.
func TestUseOfARequest(t *testing.T) {
	for name, tc := range map[string]struct {
		standing chat.Standing
		chats    int
		want     chat.Code
	}{
		"into the last place":              {chat.Requested, 2, ""},
		"not beyond it":                    {chat.Requested, 3, chat.Conflict},
		"nor where an acquaintance put me": {chat.Admitted, 3, chat.Conflict},
		"what is my own":                   {chat.Accepted, 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			facts := chat.SendFacts{Member: true, Standing: tc.standing, Chats: tc.chats}
			if got := chat.CodeOf(chat.Send{MaxChats: 3}.Admit(facts)); got != tc.want {
				t.Errorf("a send gets %q, want %q", got, tc.want)
			}
			r := newRoom(chat.Group, owner, member)
			m := r.members[user(2)]
			m.Standing = tc.standing
			r.members[m.UserID], r.counts[m.UserID] = m, tc.chats
			_, err := r.service().React(t.Context(), m.UserID, r.message.ID, "👍")
			r.wantCode(t, err, tc.want)
			if accepted := r.members[m.UserID].Standing == chat.Accepted; accepted != (tc.want == "" || tc.standing == chat.Accepted) {
				t.Errorf("accepted %v", accepted)
			}
		})
	}
}

// TestHiddenIsOnesOwn also covers that the two private settings leave each other alone.
func TestHiddenIsOnesOwn(t *testing.T) {
	r := newRoom(chat.Direct, member, member)
	hidden := chat.MemberChange{Hidden: new(true)}
	_, err := r.service().UpdateMember(t.Context(), user(1), r.chat.ID, user(2), hidden)
	r.wantCode(t, err, chat.Forbidden)
	for _, change := range []chat.MemberChange{hidden, {Muted: new(true)}} {
		_, err = r.service().UpdateMember(t.Context(), user(1), r.chat.ID, user(1), change)
		r.wantCode(t, err, "")
	}
	if m := r.members[user(1)]; !m.Hidden || !m.Muted || r.members[user(2)].Hidden || len(r.events) != 0 {
		t.Errorf("%+v, %d events", r.members, len(r.events))
	}
}
