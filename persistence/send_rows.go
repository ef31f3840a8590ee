package persistence

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"

	"fechatter/chat"
)

type messageRow struct {
	ID          string `json:"id"`
	ChatID      string `json:"chat_id"`
	Seq         int64  `json:"seq"`
	No          int64  `json:"no"`
	SenderID    string `json:"sender_id"`
	Key         string `json:"key"`
	Fingerprint string `json:"fingerprint"`
	Body        string `json:"body"`
	Data        string `json:"data"`
	Attachments string `json:"attachments"`
	ReplyTo     string `json:"reply_to"`
	Mentions    string `json:"mentions"`
	MentionsAll int    `json:"mentions_all"`
	TS          int64  `json:"ts"`
	OpID        string `json:"op_id"`
}

type mentionRow struct {
	UserID string `json:"user_id"`
	ChatID string `json:"chat_id"`
	Seq    int64  `json:"seq"`
}

type cursorRow struct {
	ChatID string `json:"chat_id"`
	UserID string `json:"user_id"`
	Seq    int64  `json:"seq"`
	No     int64  `json:"no"`
}

// add assigns a place to a send and prepares its rows.
func (g *group) add(p *pending, f sendFacts) known {
	m, st := p.send, g.streams[p.send.ChatID]
	seq, ts := st.next(f.now)
	st.lastNo++
	ids, all := chat.Mentions(m.Body, g.names[m.ChatID])
	mentions := encodeIDs(ids)
	g.messages = append(g.messages, messageRow{ID: m.MessageID, ChatID: m.ChatID, Seq: seq, No: st.lastNo,
		SenderID: m.SenderID, Key: m.Key, Fingerprint: hex.EncodeToString(m.Fingerprint), Body: m.Body,
		Data: string(m.Data), Attachments: encodeFiles(m.Files), ReplyTo: m.ReplyTo, Mentions: mentions, MentionsAll: flag(all), TS: int64(ts), OpID: m.OpID})
	for _, file := range m.Files {
		g.files = append(g.files, messageFileRow{file.ID, m.ChatID, m.MessageID, seq, chat.FileKind(file.MediaType)})
	}
	if !all {
		for _, id := range ids {
			g.mentions = append(g.mentions, mentionRow{id, m.ChatID, seq})
		}
	}
	moved := cursorRow{m.ChatID, m.SenderID, seq, st.lastNo}
	g.cursors[memberKey{m.ChatID, m.SenderID}] = moved
	if f.Standing != chat.Accepted {
		g.accepted[memberKey{m.ChatID, m.SenderID}] = moved
		g.chats[m.SenderID]++
	}
	message := chat.Message{ID: m.MessageID, ChatID: m.ChatID, Seq: seq, SenderID: m.SenderID, Body: m.Body,
		Data: m.Data, Attachments: m.Files, ReplyTo: m.ReplyTo, Mentions: ids, MentionsAll: all, Reactions: []chat.Reaction{}, Version: 1,
		CreatedAt: ts, ChangedSeq: seq}
	p.event = &chat.Event{Op: chat.OpMessageCreated, StreamID: m.ChatID, Seq: seq, TS: ts, ActorID: m.SenderID,
		D: chat.MessageCreated{Message: message, Key: m.Key}, MessageID: m.MessageID, MessageSeq: seq, Trace: m.Trace}
	g.events = append(g.events, *p.event)
	return known{m.MessageID, seq, ts, m.Fingerprint}
}

// insert writes the rows of all admitted sends.
func (g *group) insert(ctx context.Context, c *conn) error {
	if len(g.messages) == 0 {
		return nil
	}
	all, err := g.statements()
	if err != nil {
		return err
	}
	return c.execAll(ctx, all)
}

func (g *group) statements() (all []statement, err error) {
	for _, insert := range []bulk{g.s.sql.insertMessages, g.s.sql.insertLog, g.s.sql.insertOutbox} {
		if all, err = overRows(all, "insert messages", insert, g.messages); err != nil {
			return nil, err
		}
	}
	if all, err = overRows(all, "insert files of messages", g.s.sql.insertMessageFiles, g.files); err != nil {
		return nil, err
	}
	if all, err = overRows(all, "insert mentions", g.s.sql.insertMentions, g.mentions); err != nil {
		return nil, err
	}
	if all, err = overRows(all, "move senders' cursors", g.s.sql.moveCursors, slices.Collect(maps.Values(g.cursors))); err != nil {
		return nil, err
	}
	if all, err = overRows(all, "accept what senders use", g.s.sql.acceptChats, slices.Collect(maps.Values(g.accepted))); err != nil {
		return nil, err
	}
	return g.s.savingStreams(all, g.streams)
}
