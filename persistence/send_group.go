package persistence

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"fechatter/chat"
)

// group is an attempt to store sends in one transaction.
type group struct {
	s       *Store
	batch   *batch
	items   []*pending
	skipped []bool
	answers []outcome

	streams map[string]*stream
	facts   []sendFacts
	names   map[string]map[string]string // by chat: user id by name
	first   map[sendKey]known            // keys stored by this group

	messages []messageRow
	mentions []mentionRow
	files    []messageFileRow
	cursors  map[memberKey]cursorRow
	chats    map[string]int          // by sender: their own ones, of those who may get one more
	accepted map[memberKey]cursorRow // of senders who have used their chat for the first time
	events   []chat.Event
}

type (
	sendKey   struct{ chat, sender, key string }
	memberKey struct{ chat, user string }
)

// known is the message stored under a key.
type known struct {
	id          string
	seq         int64
	ts          chat.Time
	fingerprint []byte
}

// sendFacts is what was read about a send under the lock of its chat.
type sendFacts struct {
	chat.SendFacts
	now   chat.Time
	known *known
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

func newGroup(s *Store, b *batch) *group {
	return &group{s: s, batch: b, first: map[sendKey]known{}, cursors: map[memberKey]cursorRow{}, accepted: map[memberKey]cursorRow{}}
}

// store does everything in the transaction except its commit.
func (g *group) store(ctx context.Context, c *conn) error {
	// Two statements: one that both waits for a lock and reads would see the other
	// tables as they were before the wait.
	if err := g.lock(ctx, c); err != nil {
		return err
	}
	if err := g.readFacts(ctx, c); err != nil {
		return err
	}
	if err := g.readChats(ctx, c); err != nil {
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

// lock locks the group's chats and marks sends to chats that others hold as
// skipped. A chat that does not exist is not skipped: sends to it are refused
// because the sender is not a member.
func (g *group) lock(ctx context.Context, c *conn) (err error) {
	b := g.batch
	ids := chatIDs(b.items)
	if g.streams, err = g.s.lockStreams(ctx, c, ids, b.suffix); err != nil {
		return err
	}
	if err := g.gather(ctx, c); err != nil {
		return err
	}
	g.items = b.items
	n := len(g.items)
	g.skipped, g.answers, g.facts = make([]bool, n), make([]outcome, n), make([]sendFacts, n)
	if len(g.streams) == len(ids) || b.suffix == g.s.d.lock {
		return nil
	}
	return g.skip(ctx, c, ids)
}

// gather adds what has come during the wait for the locks, also to other chats if they are
// free: to wait for them now, out of the order of ids, could be for ever.
func (g *group) gather(ctx context.Context, c *conn) error {
	b := g.batch
	if b.late == nil {
		return nil
	}
	items, others := b.late(g.streams, g.s.cfg.BatchSize-len(b.items))
	b.items = append(b.items, items...)
	if len(others) == 0 || len(b.items) == g.s.cfg.BatchSize {
		return nil
	}
	free, err := g.s.lockStreams(ctx, c, others, g.s.d.skipLocked)
	if err != nil {
		return err
	}
	maps.Copy(g.streams, free)
	items, _ = b.late(g.streams, g.s.cfg.BatchSize-len(b.items))
	b.items = append(b.items, items...)
	return nil
}

func chatIDs(items []*pending) (ids []string) {
	seen := map[string]bool{}
	for _, p := range items {
		if !seen[p.send.ChatID] {
			seen[p.send.ChatID] = true
			ids = append(ids, p.send.ChatID)
		}
	}
	return ids
}

// skip marks the sends to those of the chats that exist and could not be locked.
func (g *group) skip(ctx context.Context, c *conn, ids []string) error {
	missing := slices.DeleteFunc(ids, func(id string) bool { return g.streams[id] != nil })
	b, err := json.Marshal(missing)
	if err != nil {
		return fmt.Errorf("encode ids: %w", err)
	}
	held, err := collect(ctx, c, scanString, g.s.sql.exist, string(b))
	if err != nil {
		return fmt.Errorf("look for locked streams: %w", err)
	}
	for i, p := range g.items {
		g.skipped[i] = slices.Contains(held, p.send.ChatID)
	}
	return nil
}

// readFacts reads what the rules need to know about each send.
func (g *group) readFacts(ctx context.Context, c *conn) error {
	var rows []sendRow
	for i, p := range g.items {
		if !g.skipped[i] {
			m := p.send
			rows = append(rows, sendRow{i, m.ChatID, m.SenderID, m.Key, m.ReplyTo})
		}
	}
	err := eachPart(g.s.sql.facts, rows, func(query string, args []any) error {
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
		kind            chat.Kind
	)
	err := rows.Scan(&i, &f.now, &id, &seq, &ts, &fingerprint, &f.Member, &f.Archived, &f.ReplyToFound, &kind, &f.Standing, &f.Bar)
	if err != nil {
		return err
	}
	if st := g.streams[g.items[i].send.ChatID]; st != nil {
		f.Alone = kind == chat.Direct && st.members < 2
	}
	if id.Valid {
		decoded, err := hex.DecodeString(fingerprint.String)
		if err != nil {
			return fmt.Errorf("read fingerprint: %w", err)
		}
		f.known = &known{id.String, seq.Int64, chat.Time(ts.Int64), decoded}
	}
	g.facts[i] = f
	return nil
}

// readChats counts the own chats of the senders to whom a send would give one more.
func (g *group) readChats(ctx context.Context, c *conn) (err error) {
	var senders []string
	for i, f := range g.facts {
		if f.Member && f.Standing != chat.Accepted && f.known == nil {
			senders = append(senders, g.items[i].send.SenderID)
		}
	}
	if len(senders) > 0 {
		g.chats, err = g.s.acceptedChats(ctx, c, senders)
	}
	return err
}

// readNames resolves the names that bodies may mention to the ids of members.
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

// decide answers one send. A known key is answered first, with what it made: a
// sender who has been removed since may still learn the outcome. The first of
// equal keys in a group answers the others: the database would refuse the second
// row, and the whole group with it.
func (g *group) decide(p *pending, f sendFacts) outcome {
	key := sendKey{p.send.ChatID, p.send.SenderID, p.send.Key}
	if k, ok := g.first[key]; ok {
		return replay(p, k)
	}
	switch k := f.known; {
	case k == nil:
	case k.id == p.send.MessageID && p.event != nil: // only an earlier attempt makes this id
		return g.resolve(p, *k)
	default:
		return replay(p, *k)
	}
	if _, ok := g.accepted[memberKey{p.send.ChatID, p.send.SenderID}]; ok {
		f.Standing = chat.Accepted
	}
	f.Chats = g.chats[p.send.SenderID]
	if err := p.send.Admit(f.SendFacts); err != nil {
		return outcome{err: err}
	}
	k := g.add(p, f)
	g.first[key] = k
	return g.stored(p, k)
}

func replay(p *pending, k known) outcome {
	if err := p.send.AdmitReplay(k.fingerprint); err != nil {
		return outcome{err: err}
	}
	return outcome{sent: chat.Sent{MessageID: k.id, Seq: k.seq, TS: k.ts, Replayed: true}}
}

// resolve answers a send that an earlier attempt stored without learning so.
func (g *group) resolve(p *pending, k known) outcome {
	g.events = append(g.events, *p.event)
	return g.stored(p, k)
}

// stored answers a send that is in the database now.
func (g *group) stored(p *pending, k known) outcome {
	members := int(g.streams[p.send.ChatID].members)
	return outcome{sent: chat.Sent{MessageID: k.id, Seq: k.seq, TS: k.ts, Members: members}}
}

// answer answers every send except the skipped ones, which it returns.
func (g *group) answer() (skipped []*pending) {
	for i, p := range g.items {
		if g.skipped[i] {
			skipped = append(skipped, p)
			continue
		}
		g.s.stats.sends.Add(1)
		p.done(g.answers[i].sent, g.answers[i].err)
	}
	return skipped
}
