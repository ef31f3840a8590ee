package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"fechatter/chat"
)

// However many members a group has, and whatever its last message carries, its entry
// fits a chats frame and loses no more than it must.
func TestEntryFitsAFrame(t *testing.T) {
	ids := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("01900000-0000-7000-8000-%012d", i))
		}
		return list
	}
	var reactions []chat.Reaction
	for i := range 50 {
		reactions = append(reactions, chat.Reaction{Emoji: strings.Repeat("e", 30) + fmt.Sprint(i), Count: 20, UserIDs: ids(20)})
	}
	tests := map[string]struct {
		members, mentions   int
		reactions           []chat.Reaction
		keepsIDs, keepsLast bool
	}{
		"ordinary":       {1000, 3, nil, true, true},
		"much reacted":   {1000, 3, reactions, false, true},
		"mentions a lot": {1000, 900, reactions, false, false},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			e := chat.Entry{Chat: chat.Chat{ID: "c", Name: strings.Repeat("<", 100), Topic: strings.Repeat("&", 1000), MemberIDs: ids(c.members)},
				LastMessage: &chat.Message{Body: strings.Repeat("\u2028", 200), Mentions: ids(c.mentions), Reactions: c.reactions}}
			data, err := encodeEntry(e, chatsFrameBytes)
			if err != nil || len(data) > chatsFrameBytes {
				t.Fatalf("%d bytes, %v", len(data), err)
			}
			var got chat.Entry
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			if (got.MemberIDs != nil) != c.keepsIDs || (got.LastMessage != nil) != c.keepsLast {
				t.Errorf("member_ids %v, last_message %v", got.MemberIDs != nil, got.LastMessage != nil)
			}
		})
	}
}
