package server

import (
	"bytes"
	"context"
	"encoding/json"

	"fechatter/chat"
)

// answerFrame answers a command; Re is nil for one whose id could not be read.
type answerFrame struct {
	Re *string `json:"re"`
	Op string  `json:"op"`
	D  any     `json:"d"`
}

// pushFrame is what the server says unasked and without a seq of its own.
type pushFrame struct {
	Op     string `json:"op"`
	ChatID string `json:"chat_id,omitempty"`
	Seq    *int64 `json:"seq,omitempty"`
	D      any    `json:"d"`
}

type helloData struct {
	SessionID   string    `json:"session_id"`
	UserID      string    `json:"user_id"`
	Epoch       string    `json:"epoch"`
	HeartbeatMS int64     `json:"heartbeat_ms"`
	ServerTime  chat.Time `json:"server_time"`
	Limits      Limits    `json:"limits"`
}

type chatsData struct {
	Chats []json.RawMessage `json:"chats"`
}

type entryData struct {
	Chat chat.Entry `json:"chat"`
}

type reasonData struct {
	Reason string `json:"reason"`
}

type epochData struct {
	Epoch string `json:"epoch"`
}

type drainData struct {
	RetryAfterMS int64 `json:"retry_after_ms"`
	DeadlineMS   int64 `json:"deadline_ms"`
}

// encode is json.Marshal without HTML escapes: what it makes never is part of a page.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// send queues a push. What cannot be encoded is a fault of the server's own.
func (c *connection) send(f pushFrame) {
	data, err := encode(f)
	if err != nil {
		c.server.log.Error("encode push", "op", f.Op, "err", err)
		return
	}
	c.queue(f.Op, data)
}

// sendPaced is send for what may be long: it waits for the socket.
func (c *connection) sendPaced(ctx context.Context, f pushFrame) error {
	data, err := encode(f)
	if err != nil {
		return err
	}
	return c.socket.SendPaced(ctx, f.Op, data)
}

func (c *connection) answer(re *string, op string, d any) {
	data, err := encode(answerFrame{Re: re, Op: op, D: d})
	if err != nil {
		c.server.log.Error("encode answer", "op", op, "err", err)
		return
	}
	c.queue(op, data)
}

// queue hands a frame to the hub. A closed connection is no error here: Closed
// says so to those who must know.
func (c *connection) queue(op string, data []byte) {
	_ = c.socket.Send(op, data)
}
