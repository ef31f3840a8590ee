package app

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"fechatter/bus"
	"fechatter/timeline"
)

// timelineWait is how long the other nodes may take to answer. It always passes in
// full, because the number of nodes is unknown.
const timelineWait = 300 * time.Millisecond

// timelines is this node's book, and the way to those of the others.
type timelines struct {
	*timeline.Book
	bus *bus.Bus // nil: no other nodes
	log *slog.Logger
}

func (n *Node) timelines() timelines {
	t := timelines{Book: n.book, log: n.log}
	if scheme(n.config.Nats) != "embedded" {
		t.bus = n.parts.bus
	}
	return t
}

// timelineQuestion travels between nodes; the answer is timeline.Stages.
type timelineQuestion struct {
	ChatID string
	Seq    int64
}

// Nodes implements server.Timeline. While the bus is lost, only this node answers.
func (t timelines) Nodes(ctx context.Context, chatID string, seq int64) []timeline.Stages {
	nodes := t.others(ctx, timelineQuestion{chatID, seq})
	if own, known := t.Of(chatID, seq); known {
		nodes = append(nodes, own)
	}
	slices.SortStableFunc(nodes, func(a, b timeline.Stages) int { return cmp.Compare(a.First(), b.First()) })
	return nodes
}

func (t timelines) others(ctx context.Context, q timelineQuestion) (nodes []timeline.Stages) {
	if t.bus == nil {
		return nil
	}
	question, err := json.Marshal(q)
	if err != nil {
		t.log.Error("encode question", "error", err)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timelineWait)
	defer cancel()
	answers, err := t.bus.AskAll(ctx, append([]byte{askTimeline}, question...))
	if err != nil {
		t.log.Warn("cannot ask other nodes for a timeline", "error", err)
	}
	for _, data := range answers {
		var s timeline.Stages
		if err := json.Unmarshal(data, &s); err != nil {
			t.log.Warn("unreadable timeline from another node", "error", err)
			continue
		}
		nodes = append(nodes, s)
	}
	return nodes
}

// asked answers another node at once, if this one knows anything.
func (t timelines) asked(question []byte, answer func([]byte)) {
	var q timelineQuestion
	if err := json.Unmarshal(question, &q); err != nil {
		t.log.Warn("unreadable question from another node", "error", err)
		return
	}
	s, known := t.Of(q.ChatID, q.Seq)
	if !known {
		return
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.log.Error("encode answer", "error", err)
		return
	}
	answer(data)
}
