package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"fechatter/chat"
)

// maxDrainDelay leaves the rest of a stop within 25 s.
const maxDrainDelay = 12 * time.Second

// validate says in a sentence what cannot work; several at once, one a line.
func (c Config) validate() error {
	return errors.Join(
		c.validateParts(),
		listenAddress("listen", c.Listen, false),
		listenAddress("admin_listen", c.AdminListen, true),
		origin("public_url", c.PublicURL, true),
		each(c.AllowedOrigins, func(s string) error { return origin("allowed_origins", s, false) }),
		each(c.TrustedProxies, network),
		each(c.Administrators, username),
		c.validateTimes(),
		c.validateLog(),
		c.validateTracing(),
		c.Limits.validate(),
	)
}

// validateParts checks the adapters and that they go together.
func (c Config) validateParts() error {
	db := scheme(c.Database)
	if db != "sqlite" && db != "postgres" && db != "postgresql" {
		return fmt.Errorf("database: %q is not known; it is sqlite:FILE or postgres://…", db+":")
	}
	if db == "sqlite" && sqliteFile(c.Database) == "" {
		return errors.New("database: sqlite: needs a file, such as sqlite:data/fechatter.db")
	}
	if err := c.validateNats(); err != nil {
		return err
	}
	if db == "sqlite" && scheme(c.Nats) != "embedded" {
		return errors.New("nats: a shared bus needs a shared database: with sqlite every node would have chats of its own; set database to postgres://…")
	}
	if err := c.validatePresence(); err != nil {
		return err
	}
	return c.validateSearch()
}

// validatePresence never shows what it was given: it may hold a password.
func (c Config) validatePresence() error {
	switch scheme(c.Presence) {
	case "memory":
		if c.Presence != "memory:" {
			return errors.New("presence: memory: stands alone")
		}
		return nil
	case "redis", "rediss":
		if u, err := url.Parse(c.Presence); err != nil || u.Host == "" {
			return errors.New("presence: the address cannot be read; it is redis://USER:PASSWORD@HOST:6379, in a password / as %2F, @ as %40")
		}
		return nil
	}
	return fmt.Errorf("presence: %q is not known; it is memory: or redis://HOST:6379", scheme(c.Presence)+":")
}

func scheme(setting string) string {
	s, _, _ := strings.Cut(setting, ":")
	return s
}

func sqliteFile(setting string) string { return strings.TrimPrefix(setting, "sqlite:") }

func listenAddress(name, value string, optional bool) error {
	if value == "" && optional {
		return nil
	}
	if _, _, err := net.SplitHostPort(value); err != nil {
		return fmt.Errorf("%s: %q is not an address such as 127.0.0.1:8080", name, value)
	}
	return nil
}

// origin checks a scheme, host and port and nothing else.
func origin(name, value string, optional bool) error {
	if value == "" && optional {
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s: %q is not an origin such as https://chat.example.org", name, value)
	}
	return nil
}

func network(value string) error {
	if _, err := netip.ParsePrefix(value); err == nil {
		return nil
	}
	if _, err := netip.ParseAddr(value); err == nil {
		return nil
	}
	return fmt.Errorf("trusted_proxies: %q is neither an address nor a network such as 10.0.0.0/8", value)
}

func username(value string) error {
	if !chat.ValidUsername(value) {
		return fmt.Errorf("administrators: %q is not a username: 3 to 32 characters of a-z 0-9 _ . -", value)
	}
	return nil
}

func (c Config) validateTimes() error {
	if c.DrainDelay < 0 || c.DrainDelay > maxDrainDelay {
		return fmt.Errorf("drain_delay: %s is not between 0s and %s", c.DrainDelay, maxDrainDelay)
	}
	if c.AwayAfter < time.Second {
		return fmt.Errorf("away_after: %s is less than a second", c.AwayAfter)
	}
	return nil
}

func (c Config) validateTracing() error {
	if !(c.TraceRatio >= 0 && c.TraceRatio <= 1) { // NaN too
		return fmt.Errorf("trace_ratio: %v is not between 0 and 1", c.TraceRatio)
	}
	if c.Tracing == "" {
		return nil
	}
	u, err := url.Parse(c.Tracing)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("tracing: the address cannot be read; it is http://HOST:4318 or https://HOST/PATH, without a user")
	}
	return nil
}

func (c Config) validateLog() error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return fmt.Errorf("log_level: %q is not debug, info, warn or error", c.LogLevel)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		return fmt.Errorf("log_format: %q is not text or json", c.LogFormat)
	}
	return nil
}

func (l Limits) validate() error {
	for name, v := range map[string]int{
		"signups_per_ip_per_minute": l.SignupsPerIPPerMinute,
		"logins_per_ip_per_minute":  l.LoginsPerIPPerMinute,
		"sends_per_second":          l.SendsPerSecond,
		"send_burst":                l.SendBurst,
		"connections_per_user":      l.ConnectionsPerUser,
		"connections":               l.Connections,
		"requests_per_second":       l.RequestsPerSecond,
		"request_burst":             l.RequestBurst,
		"queue_bytes":               l.QueueBytes,
		"body_bytes":                l.BodyBytes,
	} {
		if v < 0 {
			return fmt.Errorf("limits.%s: %v must not be negative", name, v)
		}
	}
	if l.SendsPerSecond > 0 && l.SendBurst == 0 {
		return errors.New("limits.send_burst: 0 would let nobody send; to send without a limit set sends_per_second to 0")
	}
	if l.RequestsPerSecond > 0 && l.RequestBurst == 0 {
		return errors.New("limits.request_burst: 0 would let nobody ask anything; to be without a limit set requests_per_second to 0")
	}
	return l.validateSizes()
}

// validateSizes keeps the message below the frame that carries it (64 KiB), and
// the queue above one frame.
func (l Limits) validateSizes() error {
	if l.BodyBytes < 1 || l.BodyBytes > 60<<10 {
		return fmt.Errorf("limits.body_bytes: %d is not between 1 and %d", l.BodyBytes, 60<<10)
	}
	if l.QueueBytes > 0 && l.QueueBytes < 128<<10 {
		return fmt.Errorf("limits.queue_bytes: %d is below 131072, which one large frame may need; 0 is no limit", l.QueueBytes)
	}
	return nil
}

func each(values []string, check func(string) error) error {
	for _, v := range values {
		if err := check(v); err != nil {
			return err
		}
	}
	return nil
}
