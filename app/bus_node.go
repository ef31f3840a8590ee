package app

import (
	"encoding/json"
	"log/slog"

	"fechatter/chat"
	"fechatter/hub"
	"fechatter/jobs"
	"fechatter/presence"
)

// busNode is this node as the bus sees it.
type busNode struct {
	*hub.Hub
	presence *presence.Tracker
	jobs     *jobs.Runner
	desk     *searchDesk
	timeline timelines
	log      *slog.Logger
}

// The first byte of a question between nodes is its kind. A node does not answer a
// kind that it does not know.
const (
	askSearch   = 's'
	askTimeline = 't'
)

// Asked implements bus.Node.
func (n busNode) Asked(data []byte, answer func([]byte)) {
	if len(data) == 0 {
		return
	}
	switch kind, question := data[0], data[1:]; kind {
	case askSearch:
		n.desk.accept(question, answer)
	case askTimeline:
		n.timeline.asked(question, answer)
	}
}

// An announcement is a list of users, or this byte and a kind of jobs.
const announceJobs = 'j'

// Announced implements bus.Node.
func (n busNode) Announced(data []byte) {
	if len(data) > 0 && data[0] == announceJobs {
		n.jobs.Wake(chat.JobKind(data[1:]))
		return
	}
	var userIDs []string
	if err := json.Unmarshal(data, &userIDs); err != nil {
		n.log.Warn("announcement from the bus refused", "error", err)
		return
	}
	n.presence.Changed(userIDs)
}
