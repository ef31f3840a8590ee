package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"fechatter/bus"
	"fechatter/chat"
	"fechatter/indexer"
)

// peersTimeout bounds a search through another node.
const peersTimeout = 3 * time.Second

// searchPeers asks the node that has the index.
type searchPeers struct{ bus *bus.Bus }

// searchAnswer travels between nodes.
type searchAnswer struct {
	Hits   chat.IndexHits
	Failed bool
}

// Search implements indexer.Peers.
func (p searchPeers) Search(ctx context.Context, q chat.IndexQuery) (chat.IndexHits, error) {
	ctx, cancel := context.WithTimeout(ctx, peersTimeout)
	defer cancel()
	question, err := json.Marshal(q)
	if err != nil {
		return chat.IndexHits{}, fmt.Errorf("encode query: %w", err)
	}
	data, err := p.bus.Ask(ctx, append([]byte{askSearch}, question...))
	if err != nil {
		return chat.IndexHits{}, fmt.Errorf("ask the node with the index: %w", err)
	}
	var a searchAnswer
	if err := json.Unmarshal(data, &a); err != nil {
		return chat.IndexHits{}, fmt.Errorf("read answer: %w", err)
	}
	if a.Failed {
		return chat.IndexHits{}, errors.New("search on another node: the engine failed")
	}
	return a.Hits, nil
}

const (
	searchWorkers = 4  // searches for other nodes at once
	searchQueue   = 64 // and how many may wait; others get no answer
)

// searchDesk answers the searches of nodes that do not have the index.
type searchDesk struct {
	indexer *indexer.Indexer
	log     *slog.Logger
	queue   chan searchQuestion
}

type searchQuestion struct {
	data   []byte
	answer func([]byte)
}

func newSearchDesk(x *indexer.Indexer, log *slog.Logger) *searchDesk {
	return &searchDesk{indexer: x, log: log, queue: make(chan searchQuestion, searchQueue)}
}

// accept queues a question and never blocks: without an answer, the asking node times
// out.
func (d *searchDesk) accept(data []byte, answer func([]byte)) {
	select {
	case d.queue <- searchQuestion{data, answer}:
	default:
	}
}

// Run answers until ctx ends.
func (d *searchDesk) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	for range searchWorkers {
		workers.Go(func() {
			for {
				select {
				case q := <-d.queue:
					d.serve(ctx, q)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	workers.Wait()
	return nil
}

func (d *searchDesk) serve(ctx context.Context, question searchQuestion) {
	var q chat.IndexQuery
	if err := json.Unmarshal(question.data, &q); err != nil {
		d.log.Warn("unreadable search from another node", "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, peersTimeout)
	defer cancel()
	hits, ok, err := d.indexer.SearchHere(ctx, q)
	if !ok {
		return // another node has the index
	}
	if err != nil && !errors.Is(err, indexer.ErrCatchingUp) {
		d.log.Warn("search for another node failed", "error", err)
	}
	data, err := json.Marshal(searchAnswer{hits, err != nil})
	if err != nil {
		d.log.Error("encode answer", "error", err)
		return
	}
	question.answer(data)
}
