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
	"fechatter/files"
)

// maxDrainDelay keeps a whole stop within 25 s.
const maxDrainDelay = 12 * time.Second

// maxFlushDelay is what people notice: beyond it a busy chat would not be cheaper, only later.
const maxFlushDelay = time.Second

// validate explains what cannot work, one sentence per line.
func (c Config) validate() error {
	return errors.Join(
		c.validateParts(),
		c.validateBus(),
		listenAddress("listen", c.Listen, false),
		listenAddress("admin_listen", c.AdminListen, true),
		origin("public_url", c.PublicURL, true),
		c.validateTLS(),
		each(c.AllowedOrigins, func(s string) error { return origin("allowed_origins", s, false) }),
		each(c.AllowedHosts, hostName),
		each(c.TrustedProxies, network),
		c.validateHops(),
		each(c.Administrators, username),
		c.validateAdmission(),
		c.validateMail(),
		c.validateSignIn(),
		c.validateOutbound(),
		c.JWT.validate(),
		c.validateTimes(),
		c.validateLog(),
		c.validateTracing(),
		c.Limits.validate(),
	)
}

// validateParts checks the adapters and their combination.
func (c Config) validateParts() error {
	db := scheme(c.Database)
	if db != "sqlite" && db != "postgres" && db != "postgresql" {
		return fmt.Errorf("database: unknown scheme %q; use sqlite:FILE or postgres://…", db+":")
	}
	if db == "sqlite" && sqliteFile(c.Database) == "" {
		return errors.New("database: sqlite: needs a file, such as sqlite:data/fechatter.db")
	}
	if err := c.validateNats(); err != nil {
		return err
	}
	if db == "sqlite" && scheme(c.Nats) != "embedded" {
		return errors.New("nats: a shared bus needs a shared database: with sqlite every node would have its own chats; set database to postgres://…")
	}
	if err := c.validatePresence(); err != nil {
		return err
	}
	if address := c.filesAddress(); address != "" {
		if err := files.CheckAddress(address); err != nil {
			return err
		}
	}
	return c.validateSearch()
}

// validatePresence never shows the setting: it may contain a password.
func (c Config) validatePresence() error {
	switch scheme(c.Presence) {
	case "memory":
		if c.Presence != "memory:" {
			return errors.New("presence: memory: takes no address")
		}
		return nil
	case "redis", "rediss":
		if u, err := url.Parse(c.Presence); err != nil || u.Host == "" {
			return errors.New("presence: invalid address; use redis://USER:PASSWORD@HOST:6379, with / as %2F and @ as %40 in the password")
		}
		return nil
	}
	return fmt.Errorf("presence: unknown scheme %q; use memory: or redis://HOST:6379", scheme(c.Presence)+":")
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

// origin checks that value is a scheme, host and port, and nothing else.
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

func hostName(value string) error {
	if u, err := url.Parse("//" + value); err != nil || u.Host != value || u.Hostname() == "" {
		return fmt.Errorf("allowed_hosts: %q is not a name such as chat.example.org", value)
	}
	return nil
}

func network(value string) error {
	p, ok := prefix(value)
	switch {
	case !ok:
		return fmt.Errorf("trusted_proxies: %q is neither an address nor a network such as 10.0.0.0/8", value)
	case p.Bits() == 0:
		return fmt.Errorf("trusted_proxies: %q is everybody, who could then claim any address; name the proxies, or count them in trusted_hops", value)
	}
	return nil
}

// prefix reads an address or a network. What is IPv4 in the form of IPv6 becomes IPv4,
// as the addresses do with which it is compared.
func prefix(value string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(value)
	if err != nil {
		a, err := netip.ParseAddr(value)
		if err != nil {
			return netip.Prefix{}, false
		}
		a = a.WithZone("")
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// maxHops is more proxies than anybody has in a row.
const maxHops = 16

func (c Config) validateHops() error {
	if c.TrustedHops < 0 || c.TrustedHops > maxHops {
		return fmt.Errorf("trusted_hops: %d is not between 0 and %d", c.TrustedHops, maxHops)
	}
	return nil
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
	if c.FlushDelay < 0 || c.FlushDelay > maxFlushDelay {
		return fmt.Errorf("flush_delay: %s is not between 0s and %s", c.FlushDelay, maxFlushDelay)
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
		return errors.New("tracing: invalid address; use http://HOST:4318 or https://HOST/PATH, without a user")
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
		"deliveries_per_second":     l.DeliveriesPerSecond,
		"bytes_per_day":             l.BytesPerDay,
		"connections_per_user":      l.ConnectionsPerUser,
		"connections":               l.Connections,
		"sockets":                   l.Sockets,
		"sockets_per_address":       l.SocketsPerAddress,
		"requests_per_second":       l.RequestsPerSecond,
		"request_burst":             l.RequestBurst,
		"people_per_minute":         l.PeoplePerMinute,
		"people_burst":              l.PeopleBurst,
		"queue_bytes":               l.QueueBytes,
		"body_bytes":                l.BodyBytes,
		"file_bytes":                l.FileBytes,
		"attachments":               l.Attachments,
		"user_storage_bytes":        l.UserStorageBytes,
	} {
		if v < 0 {
			return fmt.Errorf("limits.%s: %v is negative", name, v)
		}
	}
	if l.SendsPerSecond > 0 && l.SendBurst == 0 {
		return errors.New("limits.send_burst: 0 would let nobody send; for no limit set sends_per_second to 0")
	}
	if l.RequestsPerSecond > 0 && l.RequestBurst == 0 {
		return errors.New("limits.request_burst: 0 would refuse every request; for no limit set requests_per_second to 0")
	}
	if l.PeoplePerMinute > 0 && l.PeopleBurst == 0 {
		return errors.New("limits.people_burst: 0 would let nobody make a chat; for no limit set people_per_minute to 0")
	}
	return l.validateSizes()
}

// validateSizes keeps a message smaller than the frame that carries it (64 KiB), and
// the queue and the bytes of a day larger than one.
func (l Limits) validateSizes() error {
	if l.BodyBytes < 1 || l.BodyBytes > 60<<10 {
		return fmt.Errorf("limits.body_bytes: %d is not between 1 and %d", l.BodyBytes, 60<<10)
	}
	if l.Attachments > 100 {
		return fmt.Errorf("limits.attachments: %d is more than 100", l.Attachments)
	}
	if l.BytesPerDay > 0 && l.BytesPerDay < 64<<10 {
		return fmt.Errorf("limits.bytes_per_day: %d is less than 65536, which the largest message may need; 0 is no limit", l.BytesPerDay)
	}
	if l.QueueBytes > 0 && l.QueueBytes < 128<<10 {
		return fmt.Errorf("limits.queue_bytes: %d is less than 131072, which one large frame may need; 0 is no limit", l.QueueBytes)
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
