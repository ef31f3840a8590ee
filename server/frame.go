package server

import (
	"context"
	"encoding/json"

	"fechatter/chat"
)

// answerFrame answers a command; Re is nil if its id could not be read.
type answerFrame struct {
	Re *string `json:"re"`
	Op string  `json:"op"`
	D  any     `json:"d"`
}

// pushFrame is what the server sends unasked, other than events.
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

// chatsDocument is how chatsData is described, whose entries are encoded already.
type chatsDocument struct {
	Chats []chat.Entry `json:"chats"`
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

// send queues a push. If it cannot be encoded, that is the server's own fault.
func (c *connection) send(f pushFrame) {
	if err := c.server.encoders.encode(f, func(data []byte) { c.queue(f.Op, data) }); err != nil {
		c.server.log.Error("encode push", "op", f.Op, "error", err)
	}
}

// sendPaced is send for what may be large: it waits for the socket.
func (c *connection) sendPaced(ctx context.Context, f pushFrame) error {
	data, err := encode(f)
	if err != nil {
		return err
	}
	return c.socket.SendPaced(ctx, f.Op, data)
}

func (c *connection) answer(re *string, op string, d any) {
	if err := c.server.encoders.encode(answerFrame{Re: re, Op: op, D: d}, func(data []byte) { c.queue(op, data) }); err != nil {
		c.server.log.Error("encode answer", "op", op, "error", err)
	}
}

// queue hands a frame to the hub. A closed connection is not an error here: Closed
// reports it where it matters.
func (c *connection) queue(op string, data []byte) {
	_ = c.socket.Send(op, data)
}
