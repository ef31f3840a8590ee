package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"fechatter/chat"
	"fechatter/hub"
)

// The time of every kind of event is found in its document, and is that of the event.
func TestTimeOfEveryEvent(t *testing.T) {
	files, err := filepath.Glob("../chat/testdata/events/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var golden struct {
			Op      chat.Op         `json:"op"`
			ChatID  string          `json:"chat_id"`
			Seq     int64           `json:"seq"`
			TS      chat.Time       `json:"ts"`
			ActorID string          `json:"actor_id"`
			D       json.RawMessage `json:"d"`
		}
		if err := json.Unmarshal(data, &golden); err != nil {
			t.Fatal(err)
		}
		e, err := hubEvent(chat.Event{Op: golden.Op, StreamID: golden.ChatID, Seq: golden.Seq, TS: golden.TS, ActorID: golden.ActorID, D: golden.D})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := checkData(e); err != nil || got != int64(golden.TS) || e.Stamp != got {
			t.Errorf("%s: time %d, %v; want %d", filepath.Base(file), got, err, golden.TS)
		}
	}
}

func TestDataThatIsNoEvent(t *testing.T) {
	for _, data := range []string{
		"", "x", "{", `"ts":`, `{"op":"x"}`, `{"ts":1,"a":2}`, `{"ts":"yesterday","a":2}`, `["ts":"2026-01-01T00:00:00.000Z",]`,
		`["\"ts\":\"2026-01-01T00:00:00.000Z\",",1]`, `{"ts":"2026-01-01T00:00:00.000Z"}`, "\xff",
	} {
		if stamp, err := checkData(hub.Event{Data: []byte(data)}); err == nil {
			t.Errorf("%s: accepted, %d", data, stamp)
		}
	}
	if _, err := checkData(hub.Event{Kind: hub.Passing, Data: []byte("true")}); err != nil {
		t.Errorf("a hint: %v", err)
	}
	if _, err := checkData(hub.Event{Kind: hub.Passing, Data: []byte("garbage")}); err == nil {
		t.Error("a hint that is not JSON is accepted")
	}
}

// BenchmarkCheckData measures what the check adds to an event that is received.
func BenchmarkCheckData(b *testing.B) {
	data, err := os.ReadFile("../chat/testdata/events/message.created.json")
	if err != nil {
		b.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		b.Fatal(err)
	}
	e := hub.Event{Data: compact.Bytes()}
	b.SetBytes(int64(len(e.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := checkData(e); err != nil {
			b.Fatal(err)
		}
	}
}
