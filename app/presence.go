package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"fechatter/bus"
	"fechatter/chat"
	"fechatter/hub"
	"fechatter/presence"
	"fechatter/server"
)

// here is presence as the server uses it.
type here struct{ *presence.Tracker }

// Join is part of server.Presence.
func (h here) Join(userID string, push func([]chat.Presence)) server.Device {
	return h.Tracker.Join(userID, push)
}

// announcer carries news of presence to the other nodes.
type announcer struct {
	bus *bus.Bus
	log *slog.Logger
}

// Announce is part of presence.Announcer.
func (a announcer) Announce(userIDs []string) {
	data, err := json.Marshal(userIDs)
	if err != nil {
		a.log.Error("encode announcement", "err", err)
		return
	}
	a.bus.Announce(data)
}

// busNode is this node as the bus sees it.
type busNode struct {
	*hub.Hub
	presence *presence.Tracker
	desk     *searchDesk
	timeline timelines
	log      *slog.Logger
}

// The first byte of a question between nodes says of which kind it is. A kind
// that a node does not know gets no answer from it.
const (
	askSearch   = 's'
	askTimeline = 't'
)

// Asked is part of bus.Node.
func (n busNode) Asked(data []byte, answer func([]byte)) {
	if len(data) == 0 {
		return
	}
	switch kind, question := data[0], data[1:]; kind {
	case askSearch:
		n.desk.take(question, answer)
	case askTimeline:
		n.timeline.asked(question, answer)
	}
}

// Announced is part of bus.Node.
func (n busNode) Announced(data []byte) {
	var userIDs []string
	if err := json.Unmarshal(data, &userIDs); err != nil {
		n.log.Warn("announcement from the bus refused", "err", err)
		return
	}
	n.presence.Changed(userIDs)
}

// openLeases opens what the setting names. redis is nil for memory.
func openLeases(setting string) (leases presence.Leases, redis *presence.Redis, err error) {
	if scheme(setting) == "memory" {
		return presence.NewMemory(), nil, nil
	}
	redis, err = presence.OpenRedis(presence.RedisConfig{URL: setting})
	return redis, redis, err
}

// lookAtRedis is a probe of its own: one that hangs keeps nothing else waiting.
func (h *health) lookAtRedis(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	began := time.Now()
	err := h.redis.Ping(ctx)
	if err != nil {
		err = fmt.Errorf("ping redis: %w", err)
	}
	h.note(server.HealthPart{Name: "redis", Metric: "responseTime", Type: "datastore", Value: millis(began), Unit: "ms"}, false, err)
}
