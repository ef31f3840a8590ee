package app

import (
	"sync"
	"time"

	"fechatter/chat"
	"fechatter/indexer"
	"fechatter/tracing"
)

// followedMost bounds what a node remembers for its index: messages that another node
// indexes, or that wait for an engine that is away, make room for new ones.
const followedMost = 1024

type place struct {
	chat string
	seq  int64
}

// followed holds the traces of messages that this node published or delivered and may
// still index. The outbox carries no traces, so the trace of a message that the
// indexing node did not handle lacks the index.
type followed struct {
	mu     sync.Mutex
	traces map[place]string
	order  []place // the oldest first
}

func (f *followed) remember(p place, trace string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.traces == nil {
		f.traces = map[place]string{}
	}
	if _, known := f.traces[p]; known {
		return
	}
	if len(f.order) == followedMost {
		delete(f.traces, f.order[0])
		f.order = f.order[1:]
	}
	f.traces[p] = trace
	f.order = append(f.order, p)
}

// pop returns the trace of a message and forgets it. Its place in the order stays,
// and makes room when its turn comes.
func (f *followed) pop(p place) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	trace := f.traces[p]
	delete(f.traces, p)
	return trace
}

// observedIndexer returns the indexer's settings, with the callback of this file.
func (n *Node) observedIndexer(node string) indexer.Config {
	cfg := indexerConfig(n.config, node)
	cfg.Indexed = n.indexed
	return cfg
}

// indexed handles each batch that has reached the index.
func (n *Node) indexed(entries []chat.IndexEntry, began time.Time) {
	for _, e := range entries {
		if e.Message == nil {
			continue
		}
		n.book.Indexed(e.Message.ChatID, e.Message.Seq, e.Version, e.Message.CreatedAt)
		if n.tracer == nil {
			continue
		}
		if trace := n.followed.pop(place{e.Message.ChatID, e.Message.Seq}); trace != "" {
			n.tracer.Add(trace, "index", began, time.Now(), tracing.Attr{Key: "batch", Count: int64(len(entries))})
		}
	}
}
