package app

import (
	"encoding/json"
	"log/slog"

	"fechatter/bus"
	"fechatter/chat"
	"fechatter/presence"
	"fechatter/server"
)

// here adapts the tracker to the server.
type here struct{ *presence.Tracker }

// Join implements server.Presence.
func (h here) Join(userID string, push func([]chat.Presence)) server.Device {
	return h.Tracker.Join(userID, push)
}

// announcer carries changes of presence to the other nodes.
type announcer struct {
	bus *bus.Bus
	log *slog.Logger
}

// Announce implements presence.Announcer.
func (a announcer) Announce(userIDs []string) {
	data, err := json.Marshal(userIDs)
	if err != nil {
		a.log.Error("encode announcement", "error", err)
		return
	}
	a.bus.Announce(data)
}

// openLeases opens the leases that the setting names. redis is nil for memory.
func openLeases(setting string) (leases presence.Leases, redis *presence.Redis, err error) {
	if scheme(setting) == "memory" {
		return presence.NewMemory(), nil, nil
	}
	redis, err = presence.OpenRedis(presence.RedisConfig{URL: setting})
	return redis, redis, err
}
