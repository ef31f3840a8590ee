package timeline

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"fechatter/chat"
)

// Kept is for how long a message is remembered, Most how many are: then the
// first noted makes room.
const (
	Kept = 24 * time.Hour
	Most = 1 << 16
)

// Book is the memory of one node. A note takes a short lock and, once the book
// has grown, no memory; of each stage the first note counts. A chat's id that is
// no UUID is not noted. All methods may be called concurrently.
type Book struct {
	node string
	most int

	mu      sync.Mutex
	places  map[place]int32 // where in entries; without pointers: the collector does not walk it
	entries []entry         // in the order of their first notes, round and round
	oldest  int             // the next to make room, once there are most
}

// place is a message as every node can name it: events carry no message's id
// outside their content.
type place struct {
	chat uuid.UUID
	seq  int64
}

type entry struct {
	place                                              place
	began                                              chat.Time // the first note
	received, committed, published, delivered, indexed chat.Time
	connections                                        int32
}

// New makes the empty book of a node with that id.
func New(node string) *Book {
	return &Book{node: node, most: Most, places: map[place]int32{}}
}

// Received notes when a send was read that became the message of that seq.
func (b *Book) Received(chatID string, seq int64, at time.Time) {
	b.note(chatID, seq, true, func(e *entry) { once(&e.received, chat.TimeOf(at)) })
}

// Published notes when the message was committed, and that it goes to the
// subscribers and the other nodes now.
func (b *Book) Published(chatID string, seq int64, committed time.Time) {
	now := chat.TimeOf(time.Now())
	b.note(chatID, seq, true, func(e *entry) {
		once(&e.committed, chat.TimeOf(committed))
		once(&e.published, now)
	})
}

// Delivered notes that so many connections of this node have the messages now.
func (b *Book) Delivered(chatID string, seqs []int64, connections int) {
	now := chat.TimeOf(time.Now())
	for _, seq := range seqs {
		b.note(chatID, seq, true, func(e *entry) {
			if e.delivered == 0 {
				e.delivered, e.connections = now, int32(min(connections, 1<<30))
			}
		})
	}
}

// Indexed notes that the search index has the message now. Of a message of which
// nothing else is known, a version after the first says nothing, and one that is
// older than what is kept is indexed again: a whole chat of those would leave no room.
func (b *Book) Indexed(chatID string, seq, version int64, created chat.Time) {
	now := chat.TimeOf(time.Now())
	fresh := version == 1 && now < created.Add(Kept)
	b.note(chatID, seq, fresh, func(e *entry) { once(&e.indexed, now) })
}

// Of gives what is known of a message; false: nothing, or nothing any more.
func (b *Book) Of(chatID string, seq int64) (Stages, bool) {
	id, err := uuid.Parse(chatID)
	if err != nil {
		return Stages{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	i, known := b.places[place{id, seq}]
	if !known || time.Since(b.entries[i].began.Time()) > Kept {
		return Stages{}, false
	}
	e := &b.entries[i]
	return Stages{
		Node: b.node, ReceivedAt: e.received, CommittedAt: e.committed, PublishedAt: e.published,
		DeliveredAt: e.delivered, Connections: int(e.connections), IndexedAt: e.indexed,
	}, true
}

// note writes into a message's entry, and begins one if fresh allows it.
func (b *Book) note(chatID string, seq int64, fresh bool, write func(*entry)) {
	id, err := uuid.Parse(chatID)
	if err != nil {
		return
	}
	p := place{id, seq}
	b.mu.Lock()
	defer b.mu.Unlock()
	i, known := b.places[p]
	switch {
	case known:
	case fresh:
		i = b.begin(p)
	default:
		return
	}
	write(&b.entries[i])
}

// begin makes an entry, in the place of the oldest if there is no other.
func (b *Book) begin(p place) int32 {
	e := entry{place: p, began: chat.TimeOf(time.Now())}
	i := len(b.entries)
	if i < b.most {
		if i == cap(b.entries) { // append would take a quarter more than the most
			b.entries = append(make([]entry, 0, min(max(2*i, 1024), b.most)), b.entries...)
		}
		b.entries = append(b.entries, e)
	} else {
		i = b.oldest
		delete(b.places, b.entries[i].place)
		b.entries[i] = e
		b.oldest = (i + 1) % b.most
	}
	b.places[p] = int32(i)
	return int32(i)
}

// once keeps the first time of a stage.
func once(stage *chat.Time, at chat.Time) {
	if *stage == 0 {
		*stage = at
	}
}
