package timeline

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"fechatter/chat"
)

// Kept is how long a message is remembered, and Most how many are; beyond that the
// first noted makes room.
const (
	Kept = 24 * time.Hour
	Most = 1 << 16
)

// Book is the memory of one node. A note takes a short lock and, in a full book, no
// memory. The first note of each stage counts. A chat id that is not a UUID is
// ignored. All methods may be called concurrently.
type Book struct {
	node string
	most int

	mu      sync.Mutex
	places  map[place]int32 // index in entries; no pointers, so the garbage collector skips it
	entries []entry         // a circular buffer in the order of first notes
	oldest  int             // the next to make room, once there are most
}

// place identifies a message in a way that every node can: events carry the id of
// a message only in their content.
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

// New returns the empty book of the node with that id.
func New(node string) *Book {
	return &Book{node: node, most: Most, places: map[place]int32{}}
}

// Received notes when the send that became the message was read.
func (b *Book) Received(chatID string, seq int64, at time.Time) {
	b.note(chatID, seq, true, func(e *entry) { once(&e.received, chat.TimeOf(at)) })
}

// Published notes when the message was committed, and that it is now on its way to
// the subscribers and the other nodes.
func (b *Book) Published(chatID string, seq int64, committed time.Time) {
	now := chat.TimeOf(time.Now())
	b.note(chatID, seq, true, func(e *entry) {
		once(&e.committed, chat.TimeOf(committed))
		once(&e.published, now)
	})
}

// Delivered notes that some connections of this node now have the messages.
func (b *Book) Delivered(chatID string, seqs []int64, connections int) {
	now := chat.TimeOf(time.Now())
	for _, seq := range seqs {
		b.note(chatID, seq, true, func(e *entry) {
			if e.delivered == 0 {
				e.delivered, e.connections = now, int32(min(max(connections, 0), 1<<30))
			}
		})
	}
}

// Indexed notes that the search index now has the message. If nothing else is known
// of the message, a later version than the first is ignored, and so is one older
// than Kept: it is being reindexed, and a whole chat of those would leave no room.
func (b *Book) Indexed(chatID string, seq, version int64, created chat.Time) {
	now := chat.TimeOf(time.Now())
	fresh := version == 1 && now < created.Add(Kept)
	b.note(chatID, seq, fresh, func(e *entry) { once(&e.indexed, now) })
}

// Of returns what is known of a message, and reports whether anything is.
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

// note writes into a message's entry, and creates one only if fresh.
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

// begin creates an entry, in place of the oldest if the book is full.
func (b *Book) begin(p place) int32 {
	e := entry{place: p, began: chat.TimeOf(time.Now())}
	i := len(b.entries)
	if i < b.most {
		if i == cap(b.entries) { // append would allocate a quarter more than most
			b.entries = append(make([]entry, 0, min(max(2*i, 1024), b.most)), b.entries...)
		}
		b.entries = append(b.entries, e)
	} else {
		i = b.oldest
		delete(b.places, b.entries[i].place)
		b.entries[i] = e
		b.oldest = (i + 1) % b.most
	}
	b.places[p] = int32(i) //nolint:gosec // less than most
	return b.places[p]
}

// once records the first time of a stage.
func once(stage *chat.Time, at chat.Time) {
	if *stage == 0 {
		*stage = at
	}
}
