package hub

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
)

// truth is the database of these tests: a Source over logs in memory. Text is kept apart from the
// events, so that a read shows it as it is now.
type truth struct {
	mu      sync.Mutex
	epoch   string
	streams map[string]*truthLog
	commits int64
	reads   int // of Events and EventsFor
	checks  [][]string
	fail    error
}

type truthLog struct {
	events  []Event
	trimmed int64 // events up to it are gone
	text    map[int64]string
	members map[string]int64 // user → added seq
}

func newTruth() *truth { return &truth{epoch: "e1", streams: map[string]*truthLog{}} }

func (d *truth) log(stream string) *truthLog {
	l := d.streams[stream]
	if l == nil {
		l = &truthLog{text: map[int64]string{}, members: map[string]int64{}}
		d.streams[stream] = l
	}
	return l
}

// commit appends an event and returns it as a node would publish it.
func (d *truth) commit(stream string, e Event) Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.log(stream)
	e.Stream, e.Seq = stream, int64(len(l.events)+1)
	if e.Op == "" {
		e.Op = "op"
	}
	switch e.Op {
	case "member.added":
		l.members[e.Subject] = e.Seq
	case "member.removed":
		e.Kind = Removed
		delete(l.members, e.Subject)
	case "message.created":
		e.Kind, e.Target = Content, e.Seq
		l.text[e.Seq] = string(e.Data)
	case "message.edited":
		e.Kind = Content | Rewrite
		l.text[e.Target] = string(e.Data)
	case "message.deleted":
		e.Kind = Rewrite
		l.text[e.Target] = ""
	}
	d.commits++
	e.Stamp = d.commits
	l.events = append(l.events, e)
	return l.show(e)
}

// document is the JSON of these tests' events.
type document struct {
	Stream string `json:"stream"`
	Seq    int64  `json:"seq"`
	Stamp  int64  `json:"ts"`
	Text   string `json:"text"`
}

func (l *truthLog) show(e Event) Event {
	text := ""
	if e.Kind.Has(Content) {
		text = l.text[e.Target]
	}
	e.Data, _ = json.Marshal(document{e.Stream, e.Seq, e.Stamp, text})
	return e
}

func (d *truth) position(stream string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(len(d.log(stream).events))
}

// membership is the statement that a caller of Attach runs.
func (d *truth) membership(stream, user string) (p Position, member bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	added, member := d.log(stream).members[user]
	last := int64(len(d.log(stream).events))
	return Position{Stream: stream, Added: added, Last: last, After: last}, member
}

func (l *truthLog) end() End {
	if len(l.events) == 0 {
		return End{}
	}
	last := l.events[len(l.events)-1]
	return End{last.Seq, last.Stamp}
}

// stampOf reads the stamp of a document, as Config.Check does.
func stampOf(e Event) (int64, error) {
	if e.Kind.Has(Passing) {
		return 0, nil
	}
	var d document
	err := json.Unmarshal(e.Data, &d)
	return d.Stamp, err
}

func (d *truth) Positions(ctx context.Context, ids []string) (string, map[string]End, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.checks = append(d.checks, slices.Clone(ids))
	ends := map[string]End{}
	for _, id := range ids {
		if l := d.streams[id]; l != nil {
			ends[id] = l.end()
		}
	}
	return d.epoch, ends, errors.Join(d.fail, ctx.Err())
}

func (d *truth) Events(ctx context.Context, stream string, after int64, limit int) ([]Event, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	return d.read(stream, after, limit), errors.Join(d.fail, ctx.Err())
}

func (d *truth) read(stream string, after int64, limit int) (events []Event) {
	l := d.log(stream)
	for _, e := range l.events {
		if e.Seq > max(after, l.trimmed) && len(events) < limit {
			events = append(events, l.show(e))
		}
	}
	return events
}

func (d *truth) EventsFor(ctx context.Context, user, stream string, after int64, limit int) (Page, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	l := d.log(stream)
	added, member := l.members[user]
	if !member {
		return Page{}, errors.Join(d.fail, ctx.Err())
	}
	return Page{Member: true, AddedSeq: added, LastSeq: int64(len(l.events)), Trimmed: after < l.trimmed,
		Events: d.read(stream, after, limit)}, errors.Join(d.fail, ctx.Err())
}

func (d *truth) readCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reads
}

func (d *truth) checkCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.checks)
}
