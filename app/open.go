package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"

	"fechatter/bus"
	"fechatter/chat"
	"fechatter/door"
	"fechatter/hub"
	"fechatter/indexer"
	"fechatter/persistence"
	"fechatter/presence"
	"fechatter/security"
	"fechatter/server"
)

// adapters are the parts that a setting selects by its scheme. Only this file knows
// which scheme means which.
type adapters struct {
	folder *os.File // locked, if data is on this machine
	name   string   // of the database in health reports
	store  *persistence.Store
	bus    *bus.Bus
	leases presence.Leases
	redis  *presence.Redis // nil: presence is in this process
	engine *indexer.Engine
}

// openAdapters opens what c names. A file database locks its folder for this process.
func openAdapters(ctx context.Context, c Config, node string, publisher chat.Publisher, newID func() string, log *slog.Logger, events *security.Log) (_ *adapters, err error) {
	a := &adapters{name: "postgres"}
	defer func() {
		if err != nil {
			_ = a.close() // the first error is the one to report
		}
	}()
	if scheme(c.Database) == "sqlite" {
		a.name = "sqlite"
		if a.folder, err = lockFolder(filepath.Dir(sqliteFile(c.Database))); err != nil {
			return nil, err
		}
	}
	a.store, err = persistence.Open(ctx, persistence.Config{URL: c.Database, Alone: true}, publisher, newID, log.With("part", "store"))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	keys, err := readKeyring(ctx, c, a.store)
	if err != nil {
		return nil, err
	}
	cfg := busConfig(c, node, log.With("part", "bus"))
	cfg.Security, cfg.Keyring, cfg.ReadKeys = events, keys, func(ctx context.Context) (bus.Keyring, error) { return readKeyring(ctx, c, a.store) }
	if a.bus, err = bus.New(cfg); err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	if a.leases, a.redis, err = openLeases(c.Presence); err != nil {
		return nil, err
	}
	if a.engine, err = openEngine(c, a.bus, log.With("part", "index")); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	warnOfPrivateParts(c, log)
	return a, nil
}

// warnOfPrivateParts warns of what a node cannot notice by itself: others on the same
// database. One node with PostgreSQL is fine, so it is not refused.
func warnOfPrivateParts(c Config, log *slog.Logger) {
	if scheme(c.Database) != "sqlite" && scheme(c.Nats) == "embedded" {
		log.Warn("the bus is embedded: if other nodes use this database, events between nodes are up to 10 s late; for several nodes set nats to nats://…")
	}
	if scheme(c.Nats) != "embedded" && scheme(c.Presence) == "memory" {
		log.Warn("presence is in memory: if other nodes use this bus, nodes do not see each other's users; for several nodes set presence to redis://…")
	}
}

func busConfig(c Config, node string, log *slog.Logger) bus.Config {
	n := c.NatsAccess
	return bus.Config{
		URL: busURL(c.Nats), Name: node, Log: log, Encrypt: c.BusEncryption == on,
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

// close releases everything, after all parts have ended.
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
		_ = a.folder.Close() // releases the lock; nothing was written
	}
	return err
}

// hubConfig and the functions below translate settings for the parts.
func hubConfig(c Config) hub.Config {
	cfg := hub.Config{QueueBytes: c.Limits.QueueBytes, FlushDelayMax: c.FlushDelay}
	if cfg.FlushDelayMax == 0 {
		cfg.FlushDelayMax = -1 // likewise of saying no pause
	}
	if cfg.QueueBytes == 0 {
		cfg.QueueBytes = -1 // the hub's way of saying no limit
	}
	return cfg
}

func chatLimits(c Config) chat.Limits {
	l := chat.DefaultLimits()
	if c.Limits.BodyBytes > 0 {
		l.BodyBytes = c.Limits.BodyBytes
	}
	l.UserStorageBytes = int64(c.Limits.UserStorageBytes)
	if c.Limits.FileBytes > 0 {
		l.FileBytes = int64(c.Limits.FileBytes)
	}
	if c.Limits.Attachments > 0 {
		l.Attachments = c.Limits.Attachments
	}
	return l
}

func serverConfig(c Config, version string, sockets door.Config) server.Config {
	limits := server.DefaultLimits()
	limits.SendsPerSecond, limits.SendBurst = c.Limits.SendsPerSecond, c.Limits.SendBurst
	limits.DeliveriesPerSecond, limits.BytesPerDay = c.Limits.DeliveriesPerSecond, c.Limits.BytesPerDay
	return server.Config{
		PublicURL: c.PublicURL, AllowedOrigins: c.AllowedOrigins, AllowedHosts: c.AllowedHosts, TrustedProxies: prefixes(c.TrustedProxies), TrustedHops: c.TrustedHops,
		Limits: limits, Version: version,
		Quotas: server.Quotas{
			SignupsPerIPPerMinute: c.Limits.SignupsPerIPPerMinute,
			LoginsPerIPPerMinute:  c.Limits.LoginsPerIPPerMinute,
			ConnectionsPerUser:    c.Limits.ConnectionsPerUser,
			Connections:           liveConnections(c.Limits.Connections, sockets.Places),
			Strangers:             sockets.Places / strangersShare,
			RequestsPerSecond:     c.Limits.RequestsPerSecond,
			RequestBurst:          c.Limits.RequestBurst,
			PeoplePerMinute:       c.Limits.PeoplePerMinute,
			PeopleBurst:           c.Limits.PeopleBurst,
		},
	}
}

// prefixes parses validated networks and addresses.
func prefixes(values []string) []netip.Prefix {
	var list []netip.Prefix
	for _, v := range values {
		if p, ok := prefix(v); ok {
			list = append(list, p)
		}
	}
	return list
}
