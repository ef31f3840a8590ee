package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"syscall"

	"fechatter/door"
	"fechatter/server"
)

const (
	// ownFiles are left to the databases, the search index and the bus: PostgreSQL takes up
	// to 47, SQLite and an index some 60, more while segments are merged.
	ownFiles = 128
	// slackShare is the part of the limit that is left besides, for what comes and goes.
	slackShare = 16
	// mostFiles stands for no limit of open files.
	mostFiles = 1 << 20
	// strangersShare is the part of the sockets that may be live connections which have not
	// authenticated yet.
	strangersShare = 8
	// adminSockets is how many sockets the admin listener has.
	adminSockets = 32
)

// openFileLimit returns how many files this process may have open. The Go runtime has
// raised the soft limit to the hard one before main.
func openFileLimit() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read the limit of open files: %w", err)
	}
	return int(min(limit.Cur, mostFiles)), nil
}

// publicDoor returns the bounds of the public listener's sockets, well below a limit of
// open files whatever the settings say.
func publicDoor(c Config, files int) door.Config {
	own := ownFiles
	if c.redirectAddress() != "" {
		own += redirectSockets
	}
	places := max(files-own-files/slackShare, files/2, 1)
	if c.Limits.Sockets > 0 {
		places = min(places, c.Limits.Sockets)
	}
	cfg := door.Config{Places: places, PerAddress: c.Limits.SocketsPerAddress, Address: server.AddressOf}
	if cfg.PerAddress > 0 {
		cfg.PerAddress = min(cfg.PerAddress, max(1, places/2))
	}
	proxies := prefixes(c.TrustedProxies)
	cfg.Proxy = func(at netip.Addr) bool {
		if c.TrustedHops > 0 && len(proxies) == 0 {
			return true // whoever connects is one
		}
		for _, p := range proxies {
			if p.Contains(at) {
				return true
			}
		}
		return false
	}
	return cfg
}

// liveConnections leaves a quarter of the sockets to requests: who is connected makes
// some as well.
func liveConnections(setting, places int) int {
	most := max(1, places/4*3)
	if setting == 0 {
		return most
	}
	return min(setting, most)
}

// openDoor bounds the sockets by the settings and the limit of open files.
func openDoor(ctx context.Context, c Config, log *slog.Logger) (door.Config, error) {
	files, err := openFileLimit()
	if err != nil {
		return door.Config{}, err
	}
	cfg := publicDoor(c, files)
	level := slog.LevelInfo
	if cfg.Places < 1024 {
		level = slog.LevelWarn
	}
	log.Log(ctx, level, "sockets are bounded", "sockets", cfg.Places, "of_one_address", cfg.PerAddress,
		"live_connections", liveConnections(c.Limits.Connections, cfg.Places), "open_file_limit", files)
	return cfg, nil
}

// warnOfPlainHTTP warns of passwords and messages that anybody on the way can read.
func warnOfPlainHTTP(c Config, log *slog.Logger) {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil || scheme(c.PublicURL) == "https" || host == "localhost" {
		return
	}
	if at, err := netip.ParseAddr(host); err == nil && at.Unmap().IsLoopback() {
		return
	}
	log.Warn("passwords and messages cross the network in the clear: have a proxy end TLS, and set public_url to its https:// address", "listen", c.Listen)
}
