package chat_test

import (
	"testing"

	"fechatter/chat"
)

func TestWhatABlockRefuses(t *testing.T) {
	const target = 9
	for name, tc := range map[string]struct {
		bar  chat.Bar
		kind chat.Kind
		want chat.Code
	}{
		"nothing between them":                       {0, chat.Group, ""},
		"who is blocked adds nobody":                 {chat.BarsMe, chat.Group, chat.Forbidden},
		"who has blocked them may":                   {chat.BarsOther, chat.Group, ""},
		"of two who blocked each other neither adds": {chat.BarsMe | chat.BarsOther, chat.Public, chat.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(tc.kind, owner)
			r.boxes = map[string]chat.Inbox{user(target): {Bar: tc.bar}}
			_, _, err := r.service().AddMember(t.Context(), user(1), r.chat.ID, user(target), "")
			r.wantCode(t, err, tc.want)
		})
	}
}

// TestWhatABlockEndsInADirectChat: new text is refused, whichever way it would come.
func TestWhatABlockEndsInADirectChat(t *testing.T) {
	for bar, want := range map[chat.Bar]chat.Code{
		0: "", chat.BarsMe: chat.Forbidden, chat.BarsOther: chat.Conflict, chat.BarsMe | chat.BarsOther: chat.Forbidden,
	} {
		send := chat.Send{Key: "k", Body: "b"}.Admit(chat.SendFacts{Member: true, Bar: bar, Standing: chat.Accepted})
		if got := chat.CodeOf(send); got != want {
			t.Errorf("bar %d: a send gets %q, want %q", bar, got, want)
		}
		r := newRoom(chat.Direct, member, member)
		m := r.members[user(1)]
		m.Bar = bar
		r.members[user(1)] = m
		_, _, err := r.service().Edit(t.Context(), user(1), r.message.ID, "something else", 1)
		r.wantCode(t, err, want)
	}
}

func TestASendToNobody(t *testing.T) {
	err := chat.Send{Key: "k", Body: "b"}.Admit(chat.SendFacts{Member: true, Alone: true, Standing: chat.Accepted})
	if chat.CodeOf(err) != chat.Conflict {
		t.Errorf("got %v", err)
	}
}

func TestBlockRefusals(t *testing.T) {
	r := newRoom(chat.Direct, member, member)
	s := r.service()
	r.wantCode(t, s.Block(t.Context(), user(1), user(1)), chat.BadRequest)
	r.wantCode(t, s.Block(t.Context(), user(1), "nobody"), chat.NotFound)
	r.wantCode(t, s.Unblock(t.Context(), user(1), "nobody"), "")
}
