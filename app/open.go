package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"fechatter/bus"
	"fechatter/chat"
	"fechatter/hub"
	"fechatter/indexer"
	"fechatter/persistence"
	"fechatter/presence"
	"fechatter/server"
)

// adapters are the parts that a setting chooses by its scheme. This file is the
// only place that knows which scheme means which.
type adapters struct {
	folder *os.File // locked, when data is kept on this machine
	dir    string   // of the data, or ""
	name   string   // of the database in health reports
	store  *persistence.Store
	bus    *bus.Bus
	leases presence.Leases
	redis  *presence.Redis // nil: presence is kept in this process
	engine *indexer.Engine
}

// openAdapters opens what c names. A file database takes its folder for this
// process alone.
func openAdapters(ctx context.Context, c Config, node string, publisher chat.Publisher, newID func() string, log *slog.Logger) (_ *adapters, err error) {
	a := &adapters{name: "postgres"}
	defer func() {
		if err != nil {
			_ = a.close() // the first error is the one to tell
		}
	}()
	if scheme(c.Database) == "sqlite" {
		a.name, a.dir = "sqlite", filepath.Dir(sqliteFile(c.Database))
		if a.folder, err = lockFolder(a.dir); err != nil {
			return nil, err
		}
	}
	a.store, err = persistence.Open(ctx, persistence.Config{URL: c.Database}, publisher, newID, log.With("part", "store"))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if a.bus, err = bus.New(busConfig(c, node, log.With("part", "bus"))); err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	if a.leases, a.redis, err = openLeases(c.Presence); err != nil {
		return nil, err
	}
	if a.engine, err = openEngine(c, a.bus, log.With("part", "index")); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	tellPrivateParts(c, log)
	return a, nil
}

// tellPrivateParts warns of what no node can see alone: the others on the same
// database. One node with PostgreSQL is a fine thing, so it is not refused.
func tellPrivateParts(c Config, log *slog.Logger) {
	if scheme(c.Database) != "sqlite" && scheme(c.Nats) == "embedded" {
		log.Warn("the bus is embedded: should other nodes use this database, they and this one see each other's events up to 10 s late; for several nodes set nats to nats://…")
	}
	if scheme(c.Nats) != "embedded" && scheme(c.Presence) == "memory" {
		log.Warn("presence is kept in memory: should other nodes use this bus, none sees who is on another; for several nodes set presence to redis://…")
	}
}

func busConfig(c Config, node string, log *slog.Logger) bus.Config {
	n := c.NatsAccess
	return bus.Config{
		URL: busURL(c.Nats), Name: node, Log: log,
		TLS:         bus.TLS{CA: n.TLSCA, Cert: n.TLSCert, Key: n.TLSKey},
		Credentials: bus.Credentials{Creds: n.Creds, Nkey: n.Nkey, Token: n.Token},
	}
}

// busURL is empty for the embedded server.
func busURL(setting string) string {
	if scheme(setting) == "embedded" {
		return ""
	}
	return setting
}

// close gives everything back, once all parts have ended.
func (a *adapters) close() error {
	var err error
	if a.redis != nil {
		err = a.redis.Close()
	}
	if a.engine != nil {
		err = errors.Join(err, a.engine.Close())
	}
	if a.store != nil {
		err = errors.Join(err, a.store.Close())
	}
	if a.folder != nil {
		_ = a.folder.Close() // gives the lock back; nothing was written
	}
	return err
}

// canaryRow lets health move and read this node's row.
type canaryRow struct{ *persistence.Store }

// WriteCanary is part of canaryStore.
func (r canaryRow) WriteCanary(ctx context.Context, node string) (int64, error) {
	return r.Canary(ctx, node)
}

// ReadCanary is part of canaryStore.
func (r canaryRow) ReadCanary(ctx context.Context, node string) (int64, error) {
	return r.CanaryPosition(ctx, node)
}

// hubConfig and the functions after it translate settings for the parts.
func hubConfig(c Config) hub.Config {
	cfg := hub.Config{QueueBytes: c.Limits.QueueBytes}
	if cfg.QueueBytes == 0 {
		cfg.QueueBytes = -1 // no limit, in the hub's words
	}
	return cfg
}

func chatLimits(c Config) chat.Limits {
	l := chat.DefaultLimits()
	if c.Limits.BodyBytes > 0 {
		l.BodyBytes = c.Limits.BodyBytes
	}
	return l
}

func serverConfig(c Config, version string) server.Config {
	limits := server.DefaultLimits()
	limits.SendsPerSecond, limits.SendBurst = c.Limits.SendsPerSecond, c.Limits.SendBurst
	return server.Config{
		PublicURL: c.PublicURL, AllowedOrigins: c.AllowedOrigins, TrustedProxies: prefixes(c.TrustedProxies),
		Limits: limits, Version: version,
		Quotas: server.Quotas{
			SignupsPerIPPerMinute: c.Limits.SignupsPerIPPerMinute,
			LoginsPerIPPerMinute:  c.Limits.LoginsPerIPPerMinute,
			ConnectionsPerUser:    c.Limits.ConnectionsPerUser,
			Connections:           c.Limits.Connections,
			RequestsPerSecond:     c.Limits.RequestsPerSecond,
			RequestBurst:          c.Limits.RequestBurst,
		},
	}
}

// prefixes reads networks and addresses that validate has passed.
func prefixes(values []string) []netip.Prefix {
	var list []netip.Prefix
	for _, v := range values {
		if p, err := netip.ParsePrefix(v); err == nil {
			list = append(list, p)
		} else if a, err := netip.ParseAddr(strings.TrimSpace(v)); err == nil {
			list = append(list, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return list
}
