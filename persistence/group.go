package persistence

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"fechatter/chat"
)

// group is one attempt to store sends in one transaction.
type group struct {
	s       *Store
	items   []*pending
	skipped []bool
	answers []outcome

	streams map[string]*stream
	facts   []sendFacts
	names   map[string]map[string]string // by chat: user id by name
	first   map[sendKey]known            // keys that this group stores

	messages []messageRow
	mentions []mentionRow
	cursors  map[memberKey]cursorRow
	events   []chat.Event
}

type (
	sendKey   struct{ chat, sender, key string }
	memberKey struct{ chat, user string }
)

// known is the message that a key stands for.
type known struct {
	id          string
	seq         int64
	ts          chat.Time
	fingerprint []byte
}

// sendFacts is what was read for one send under the lock of its chat.
type sendFacts struct {
	chat.SendFacts
	now   chat.Time
	known *known
}

type messageRow struct {
	ID          string `json:"id"`
	ChatID      string `json:"chat_id"`
	Seq         int64  `json:"seq"`
	No          int64  `json:"no"`
	SenderID    string `json:"sender_id"`
	Key         string `json:"key"`
	Fingerprint string `json:"fingerprint"`
	Body        string `json:"body"`
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

type sendRow struct {
	I        int    `json:"i"`
	ChatID   string `json:"chat_id"`
	SenderID string `json:"sender_id"`
	Key      string `json:"key"`
	ReplyTo  string `json:"reply_to"`
}

type nameRow struct {
	ChatID string `json:"chat_id"`
	Name   string `json:"name"`
}

func newGroup(s *Store, items []*pending) *group {
	return &group{s: s, items: items, skipped: make([]bool, len(items)), answers: make([]outcome, len(items)),
		facts: make([]sendFacts, len(items)), first: map[sendKey]known{}, cursors: map[memberKey]cursorRow{}}
}

// store does all of the transaction but its commit.
func (g *group) store(ctx context.Context, c *conn, suffix string) error {
	if err := g.lockThenRead(ctx, c, suffix); err != nil {
		return err
	}
	if err := g.readNames(ctx, c); err != nil {
		return err
	}
	for i := range g.items {
		if !g.skipped[i] {
			g.answers[i] = g.decide(g.items[i], g.facts[i])
		}
	}
	return g.insert(ctx, c)
}

func (g *group) chatIDs() []string {
	seen := map[string]bool{}
	var ids []string
	for _, p := range g.items {
		if !seen[p.send.ChatID] {
			seen[p.send.ChatID] = true
			ids = append(ids, p.send.ChatID)
		}
	}
	return ids
}

// lock takes the locks of the group's chats and marks as skipped the sends to
// those that others hold. A chat that does not exist is not skipped: its sends
// are refused for want of a membership.
func (g *group) lock(ctx context.Context, c *conn, suffix string) (err error) {
	ids := g.chatIDs()
	if g.streams, err = g.s.lockStreams(ctx, c, ids, suffix); err != nil {
		return err
	}
	if len(g.streams) == len(ids) || suffix != g.s.d.skipLocked || suffix == "" {
		return nil
	}
	var missing []string
	for _, id := range ids {
		if g.streams[id] == nil {
			missing = append(missing, id)
		}
	}
	b, err := json.Marshal(missing)
	if err != nil {
		return fmt.Errorf("encode ids: %w", err)
	}
	held, err := collect(ctx, c, scanString, g.s.sql.exist, string(b))
	if err != nil {
		return fmt.Errorf("look for locked streams: %w", err)
	}
	locked := map[string]bool{}
	for _, id := range held {
		locked[id] = true
	}
	for i, p := range g.items {
		g.skipped[i] = locked[p.send.ChatID]
	}
	return nil
}

// read gets what the rules need to know of each send.
func (g *group) read(ctx context.Context, c *conn, query bulk) error {
	var rows []sendRow
	for i, p := range g.items {
		if !g.skipped[i] {
			m := p.send
			rows = append(rows, sendRow{i, m.ChatID, m.SenderID, m.Key, m.ReplyTo})
		}
	}
	err := eachPart(query, rows, func(query string, args []any) error {
		_, err := collect(ctx, c, g.scanFacts, query, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("read facts of sends: %w", err)
	}
	return nil
}

func (g *group) scanFacts(rows *sql.Rows, _ *struct{}) error {
	var (
		i               int
		f               sendFacts
		id, fingerprint sql.NullString
		seq, ts         sql.NullInt64
	)
	err := rows.Scan(&i, &f.now, &id, &seq, &ts, &fingerprint, &f.Member, &f.Archived, &f.ReplyToFound)
	if err != nil {
		return err
	}
	if id.Valid {
		print, err := hex.DecodeString(fingerprint.String)
		if err != nil {
			return fmt.Errorf("read fingerprint: %w", err)
		}
		f.known = &known{id.String, seq.Int64, chat.Time(ts.Int64), print}
	}
	g.facts[i] = f
	return nil
}

// readNames resolves the names that bodies may mention to members' ids.
func (g *group) readNames(ctx context.Context, c *conn) error {
	asked := map[nameRow]bool{}
	var wanted []nameRow
	for i, p := range g.items {
		for _, name := range p.names {
			if row := (nameRow{p.send.ChatID, name}); !g.skipped[i] && !asked[row] {
				asked[row] = true
				wanted = append(wanted, row)
			}
		}
	}
	g.names = map[string]map[string]string{}
	if len(wanted) == 0 {
		return nil
	}
	b, err := json.Marshal(wanted)
	if err != nil {
		return fmt.Errorf("encode names: %w", err)
	}
	_, err = collect(ctx, c, func(rows *sql.Rows, _ *struct{}) error {
		var chatID, name, userID string
		if err := rows.Scan(&chatID, &name, &userID); err != nil {
			return err
		}
		if g.names[chatID] == nil {
			g.names[chatID] = map[string]string{}
		}
		g.names[chatID][name] = userID
		return nil
	}, g.s.sql.names, string(b))
	if err != nil {
		return fmt.Errorf("read mentioned names: %w", err)
	}
	return nil
}

// decide answers one send. Whose key is known gets what that key made, member
// or not: the sender may have been removed since.
func (g *group) decide(p *pending, f sendFacts) outcome {
	if !keyBeforeMembership {
		if err := p.send.Admit(f.SendFacts); err != nil {
			return outcome{err: err}
		}
	}
	key := sendKey{p.send.ChatID, p.send.SenderID, p.send.Key}
	if k, ok := g.first[key]; ok && mergeKeys {
		return replay(p, k)
	}
	if f.known != nil {
		if storedBefore(p, *f.known) {
			return g.settle(p, *f.known)
		}
		return replay(p, *f.known)
	}
	if err := p.send.Admit(f.SendFacts); err != nil {
		return outcome{err: err}
	}
	k := g.add(p, f.now)
	g.first[key] = k
	return outcome{sent: chat.Sent{MessageID: k.id, Seq: k.seq, TS: k.ts}}
}

func replay(p *pending, k known) outcome {
	if err := p.send.AdmitReplay(k.fingerprint); err != nil {
		return outcome{err: err}
	}
	return outcome{sent: chat.Sent{MessageID: k.id, Seq: k.seq, TS: k.ts, Replayed: true}}
}

// settle answers a send that an attempt before has stored, without having heard so.
func (g *group) settle(p *pending, k known) outcome {
	g.events = append(g.events, *p.event)
	return outcome{sent: chat.Sent{MessageID: k.id, Seq: k.seq, TS: k.ts}}
}

// add gives a send its place and prepares its rows.
func (g *group) add(p *pending, now chat.Time) known {
	m, st := p.send, g.streams[p.send.ChatID]
	seq, ts := st.next(now)
	st.lastNo++
	ids, all := chat.Mentions(m.Body, g.names[m.ChatID])
	mentions := encodeIDs(ids)
	g.messages = append(g.messages, messageRow{ID: m.MessageID, ChatID: m.ChatID, Seq: seq, No: st.lastNo,
		SenderID: m.SenderID, Key: m.Key, Fingerprint: hex.EncodeToString(m.Fingerprint), Body: m.Body,
		ReplyTo: m.ReplyTo, Mentions: mentions, MentionsAll: flag(all), TS: int64(ts), OpID: m.OpID})
	if !all {
		for _, id := range ids {
			g.mentions = append(g.mentions, mentionRow{id, m.ChatID, seq})
		}
	}
	g.cursors[memberKey{m.ChatID, m.SenderID}] = cursorRow{m.ChatID, m.SenderID, seq, st.lastNo}
	message := chat.Message{ID: m.MessageID, ChatID: m.ChatID, Seq: seq, SenderID: m.SenderID, Body: m.Body,
		ReplyTo: m.ReplyTo, Mentions: ids, MentionsAll: all, Reactions: []chat.Reaction{}, Version: 1,
		CreatedAt: ts, ChangedSeq: seq}
	p.event = &chat.Event{Op: chat.OpMessageCreated, StreamID: m.ChatID, Seq: seq, TS: ts, ActorID: m.SenderID,
		D: chat.MessageCreated{Message: message, Key: m.Key}, MessageID: m.MessageID, MessageSeq: seq, Trace: m.Trace}
	g.events = append(g.events, *p.event)
	return known{m.MessageID, seq, ts, m.Fingerprint}
}

// insert writes the rows of all sends that were admitted.
func (g *group) insert(ctx context.Context, c *conn) error {
	if len(g.messages) == 0 {
		return nil
	}
	for _, statement := range []bulk{g.s.sql.insertMessages, g.s.sql.insertLog, g.s.sql.insertOutbox} {
		if err := execRows(ctx, c, "insert messages", statement, g.messages); err != nil {
			return err
		}
	}
	if err := execRows(ctx, c, "insert mentions", g.s.sql.insertMentions, g.mentions); err != nil {
		return err
	}
	cursors := make([]cursorRow, 0, len(g.cursors))
	for _, row := range g.cursors {
		cursors = append(cursors, row)
	}
	if err := execRows(ctx, c, "move senders' cursors", g.s.sql.moveCursors, cursors); err != nil {
		return err
	}
	return g.s.saveStreams(ctx, c, g.streams)
}

// answer tells every sender but the skipped ones, whom it gives back.
func (g *group) answer() (skipped []*pending) {
	for i, p := range g.items {
		if g.skipped[i] {
			skipped = append(skipped, p)
			continue
		}
		g.s.stats.sends.Add(1)
		p.answer(g.answers[i].sent, g.answers[i].err)
	}
	return skipped
}

func encodeIDs(ids []string) string {
	b, err := json.Marshal(ids)
	if err != nil || len(ids) == 0 {
		return "[]" // strings always encode
	}
	return string(b)
}
