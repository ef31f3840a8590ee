package app

import (
	"sync"
	"time"

	"fechatter/chat"
	"fechatter/indexer"
	"fechatter/tracing"
)

// followedMost bounds what a node remembers for its index: those that another
// node indexes, or that wait for an engine that is away, make room.
const followedMost = 1024

type place struct {
	chat string
	seq  int64
}

// followed are the traces of messages that this node published or delivered and
// may yet index. The outbox does not carry a trace, so a message that the
// index's node had nothing to do with has no index in its trace.
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

// take gives the trace of a message once. Its place in the order stays, and
// makes room when its turn comes.
func (f *followed) take(p place) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	trace := f.traces[p]
	delete(f.traces, p)
	return trace
}

// observedIndexer is the indexer's settings, with who is told what was indexed.
func (n *Node) observedIndexer(node string) indexer.Config {
	cfg := indexerConfig(n.config, node)
	cfg.Indexed = n.indexed
	return cfg
}

// indexed is told of each batch that is in the index.
func (n *Node) indexed(entries []chat.IndexEntry, began time.Time) {
	for _, e := range entries {
		if e.Message == nil {
			continue
		}
		n.book.Indexed(e.Message.ChatID, e.Message.Seq, e.Version, e.Message.CreatedAt)
		if n.tracer == nil {
			continue
		}
		if trace := n.followed.take(place{e.Message.ChatID, e.Message.Seq}); trace != "" {
			n.tracer.Add(trace, "index", began, time.Now(), tracing.Attr{Key: "batch", Count: int64(len(entries))})
		}
	}
}
