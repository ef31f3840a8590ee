package check

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// wireEvent is all that this package reads of a frame or an event.
type wireEvent struct {
	Op      string    `json:"op"`
	ChatID  string    `json:"chat_id"`
	Seq     int64     `json:"seq"`
	TS      time.Time `json:"ts"`
	ActorID string    `json:"actor_id"`
	D       payload   `json:"d"`
}

type payload struct {
	ID         string      `json:"id"`
	ChatID     string      `json:"chat_id"`
	Seq        int64       `json:"seq"`
	MessageID  string      `json:"message_id"`
	MessageSeq int64       `json:"message_seq"`
	UserID     string      `json:"user_id"`
	Emoji      string      `json:"emoji"`
	Key        string      `json:"key"`
	Body       string      `json:"body"`
	Version    int64       `json:"version"`
	Reason     string      `json:"reason"`
	Chats      []wireEntry `json:"chats"`
	Chat       wireEntry   `json:"chat"`
}

type wireEntry struct {
	ID       string `json:"id"`
	LastSeq  int64  `json:"last_seq"`
	AddedSeq int64  `json:"added_seq"`
}

// ParseFrame reads a frame of a connection. A frame that it does not know has its
// op, chat and seq only.
func ParseFrame(data []byte) (Frame, error) {
	var w wireEvent
	if err := json.Unmarshal(data, &w); err != nil {
		return Frame{}, fmt.Errorf("parse frame: %w", err)
	}
	f := Frame{Op: w.Op, ChatID: w.ChatID, Seq: w.Seq}
	switch {
	case w.Op == "chats":
		for _, e := range w.D.Chats {
			f.Entries = append(f.Entries, Entry(e))
		}
	case w.Op == "chat.joined":
		f.Entries, f.ChatID, f.Seq = []Entry{Entry(w.D.Chat)}, w.D.Chat.ID, w.D.Chat.LastSeq
	case w.Op == "chat.left":
		f.ChatID, f.Seq = w.D.ChatID, w.D.Seq
	case w.Op == "reset":
		f.Reason = w.D.Reason
	case w.Seq > 0 && w.ChatID != "":
		e := w.event()
		f.Event = &e
	}
	return f, nil
}

// ParseEvent reads an event of the events API.
func ParseEvent(data []byte) (Event, error) {
	var w wireEvent
	if err := json.Unmarshal(data, &w); err != nil {
		return Event{}, fmt.Errorf("parse event: %w", err)
	}
	return w.event(), nil
}

func (w wireEvent) event() Event {
	e := Event{Op: w.Op, ChatID: w.ChatID, Seq: w.Seq, TS: w.TS.UnixMilli(), ActorID: w.ActorID}
	d := w.D
	switch {
	case w.Op == "message.created":
		e.MessageID, e.MessageSeq, e.Key, e.Body, e.Version = d.ID, d.Seq, d.Key, d.Body, d.Version
	case strings.HasPrefix(w.Op, "message."):
		e.MessageID, e.MessageSeq, e.Body, e.Version = d.MessageID, d.MessageSeq, d.Body, d.Version
	case strings.HasPrefix(w.Op, "reaction."):
		e.MessageID, e.MessageSeq, e.UserID, e.Emoji = d.MessageID, d.MessageSeq, d.UserID, d.Emoji
	case strings.HasPrefix(w.Op, "member."):
		e.UserID = d.UserID
	}
	return e
}
