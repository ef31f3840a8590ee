package check

import (
	"os"
	"path/filepath"
	"testing"
)

// TestParseFrame reads the events that the server is pinned to.
func TestParseFrame(t *testing.T) {
	files, err := filepath.Glob("../../chat/testdata/events/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := ParseFrame(data)
		if err != nil || f.Event == nil || f.Event.TS != 1767323045678 || f.Event.ActorID == "" || f.Seq == 0 {
			t.Errorf("%s: %+v, %v", file, f, err)
			continue
		}
		if filepath.Base(file) == "message.created.json" && (f.Event.Key != "k-1" || f.Event.MessageID == "" || f.Event.Version != 1 || f.Event.MessageSeq != 4) {
			t.Errorf("%s: %+v", file, f.Event)
		}
	}
}

func TestParseFrameOfConnection(t *testing.T) {
	for text, want := range map[string]Frame{
		`{"op":"chat.left","d":{"chat_id":"c","seq":8}}`:          {Op: "chat.left", ChatID: "c", Seq: 8},
		`{"op":"reset","chat_id":"c","seq":7,"d":{"reason":"x"}}`: {Op: "reset", ChatID: "c", Seq: 7, Reason: "x"},
		`{"op":"chat.joined","d":{"chat":{"id":"c","last_seq":4,"added_seq":3}}}`: {Op: "chat.joined", ChatID: "c", Seq: 4,
			Entries: []Entry{{ID: "c", LastSeq: 4, AddedSeq: 3}}},
	} {
		f, err := ParseFrame([]byte(text))
		if err != nil || f.Op != want.Op || f.ChatID != want.ChatID || f.Seq != want.Seq || f.Reason != want.Reason ||
			len(f.Entries) != len(want.Entries) || f.Event != nil {
			t.Errorf("%s: %+v, %v", text, f, err)
		}
		if len(want.Entries) > 0 && f.Entries[0] != want.Entries[0] {
			t.Errorf("%s: %+v", text, f.Entries)
		}
	}
}
