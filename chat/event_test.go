package chat_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fechatter/chat"
)

const (
	chatID = "0199a0c0-0000-7000-8000-000000000001"
	alice  = "0199a0c0-0000-7000-8000-00000000000a"
	bob    = "0199a0c0-0000-7000-8000-00000000000b"
	hello  = "0199a0c0-0000-7000-8000-0000000000f1"
	sky    = "0199a0c0-0000-7000-8000-0000000000f2"
)

// at is 2026-01-02T03:04:05.678Z.
const at = chat.Time(1767323045678)

// goldenEvents returns at least one event of every op, as the story of a small
// chat. The page's tests decode the same files.
func goldenEvents() []chat.Event {
	edited := at.Add(1000)
	c := chat.Chat{ID: chatID, Kind: chat.Public, Name: "general", Topic: "all of us", CreatedBy: alice, CreatedAt: at}
	renamed := c
	renamed.Name, renamed.MemberCount = "lobby", 2
	m := chat.Message{ID: hello, ChatID: chatID, Seq: 4, SenderID: alice, Body: "hi @bob \"<&>\" 你好", Mentions: []string{bob},
		Attachments: []chat.File{{ID: sky, Name: "sky.png", MediaType: "image/png", Size: 2048, SHA256: strings.Repeat("a1", 32),
			Width: 800, Height: 600, Thumb: true, CreatedAt: at, UploadedBy: alice}},
		Reactions: []chat.Reaction{}, Version: 1, CreatedAt: at}
	events := []chat.Event{
		{Op: chat.OpChatCreated, ActorID: alice, D: c},
		{Op: chat.OpMemberAdded, ActorID: alice, D: chat.MemberEvent{UserID: alice, Role: chat.RoleOwner, By: alice}},
		{Op: chat.OpMemberAdded, ActorID: bob, D: chat.MemberEvent{UserID: bob, Role: chat.RoleMember, By: bob}},
		{Op: chat.OpMessageCreated, ActorID: alice, D: chat.MessageCreated{Message: m, Key: "k-1"}},
		{Op: chat.OpReactionAdded, ActorID: bob, D: chat.ReactionEvent{MessageID: hello, MessageSeq: 4, UserID: bob, Emoji: "👍"}},
		{Op: chat.OpMessageEdited, ActorID: alice, D: chat.MessageEdited{MessageID: hello, MessageSeq: 4, Body: "hi @all",
			Mentions: []string{}, MentionsAll: true, Version: 2, EditedAt: edited}},
		{Op: chat.OpReactionRemoved, ActorID: bob, D: chat.ReactionEvent{MessageID: hello, MessageSeq: 4, UserID: bob, Emoji: "👍"}},
		{Op: chat.OpChatUpdated, ActorID: alice, D: renamed},
		{Op: chat.OpMemberUpdated, ActorID: alice, D: chat.MemberEvent{UserID: bob, Role: chat.RoleAdmin, By: alice}},
		{Op: chat.OpMessageDeleted, ActorID: alice, D: chat.MessageDeleted{MessageID: hello, MessageSeq: 4, Version: 3, DeletedAt: edited}},
		{Op: chat.OpMemberRemoved, ActorID: bob, D: chat.MemberEvent{UserID: bob, By: bob}},
	}
	for i := range events {
		events[i].StreamID, events[i].Seq, events[i].TS = chatID, int64(i+1), at.Add(0)
	}
	return events
}

// TestGoldenEvents pins the JSON of every event. UPDATE_GOLDEN=1 writes the files.
func TestGoldenEvents(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range goldenEvents() {
		name := string(e.Op) + ".json"
		if seen[name] {
			continue
		}
		seen[name] = true
		got, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", "events", name)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, bytes.TrimSpace(want)) {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
	files, err := os.ReadDir(filepath.Join("testdata", "events"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !seen[f.Name()] {
			t.Errorf("%s is not a golden event", f.Name())
		}
	}
}

func TestMessageNeverHasNullLists(t *testing.T) {
	for _, e := range goldenEvents() {
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "null") {
			t.Errorf("%s holds a null: %s", e.Op, b)
		}
	}
}

func TestTimeIsMillisecondsBothWays(t *testing.T) {
	b, err := json.Marshal(at)
	if err != nil || string(b) != `"2026-01-02T03:04:05.678Z"` {
		t.Fatalf("got %s, %v", b, err)
	}
	var back chat.Time
	if err := json.Unmarshal([]byte(`"2026-01-02T04:04:05.6789+01:00"`), &back); err != nil || back != at {
		t.Errorf("got %v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`"yesterday"`), &back); err == nil {
		t.Error("yesterday was read as a time")
	}
}
