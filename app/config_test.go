package app

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// load reads settings in an empty folder with the given chat.yml, "" for none.
func load(t *testing.T, file string, args ...string) (Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if file != "" {
		if err := os.WriteFile("chat.yml", []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in, err := LoadConfig(args, io.Discard)
	return in.Config, err
}

func defaults() Config {
	return Config{
		Database: "sqlite:data/fechatter.db", Nats: "embedded:", Presence: "memory:",
		Search: "bleve:data/search", AsyncIndexing: AsyncIndexing{BatchSize: 10, BatchTimeoutMS: 1000},
		Meilisearch: Meilisearch{Index: "messages", ConnectionTimeoutMS: 2000, RequestTimeoutMS: 3000},
		Listen:      "127.0.0.1:8080", AdminListen: "127.0.0.1:9090", AwayAfter: 5 * time.Minute, DrainDelay: 5 * time.Second,
		TraceRatio: 0.01, LogLevel: "info", LogFormat: "text",
		Limits: Limits{
			SignupsPerIPPerMinute: 30, LoginsPerIPPerMinute: 60, SendsPerSecond: 10, SendBurst: 20,
			ConnectionsPerUser: 32, Connections: 50_000, RequestsPerSecond: 100, RequestBurst: 400, QueueBytes: 1 << 20, BodyBytes: 16 << 10,
		},
	}
}

func TestDefaults(t *testing.T) {
	for name, file := range map[string]string{"no file": "", "empty file": "\n", "comments": "# nothing\n"} {
		c, err := load(t, file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(defaults(), c, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestEverySettingHasAFileAnEnvironmentAndAFlagName(t *testing.T) {
	const postgres = "postgres://fechatter@127.0.0.1/chat"
	for _, s := range []struct {
		key, value string
		set        func(*Config)
	}{
		{"database", postgres, func(c *Config) { c.Database = postgres }},
		{"presence", "redis://r:6379", func(c *Config) { c.Presence = "redis://r:6379" }},
		{"search", "http://m:7700", func(c *Config) { c.Search = "http://m:7700" }},
		{"async_indexing.batch_size", "20", func(c *Config) { c.AsyncIndexing.BatchSize = 20 }},
		{"async_indexing.batch_timeout_ms", "500", func(c *Config) { c.AsyncIndexing.BatchTimeoutMS = 500 }},
		{"meilisearch.api_key", "k", func(c *Config) { c.Meilisearch.APIKey = "k" }},
		{"meilisearch.index", "chat-messages", func(c *Config) { c.Meilisearch.Index = "chat-messages" }},
		{"meilisearch.connection_timeout_ms", "100", func(c *Config) { c.Meilisearch.ConnectionTimeoutMS = 100 }},
		{"meilisearch.request_timeout_ms", "200", func(c *Config) { c.Meilisearch.RequestTimeoutMS = 200 }},
		{"listen", "0.0.0.0:80", func(c *Config) { c.Listen = "0.0.0.0:80" }},
		{"admin_listen", "127.0.0.1:1", func(c *Config) { c.AdminListen = "127.0.0.1:1" }},
		{"public_url", "https://a.example", func(c *Config) { c.PublicURL = "https://a.example" }},
		{"trusted_proxies", "10.0.0.0/8,::1", func(c *Config) { c.TrustedProxies = []string{"10.0.0.0/8", "::1"} }},
		{"allowed_origins", "https://b.example", func(c *Config) { c.AllowedOrigins = []string{"https://b.example"} }},
		{"administrators", "root,ann", func(c *Config) { c.Administrators = []string{"root", "ann"} }},
		{"away_after", "90s", func(c *Config) { c.AwayAfter = 90 * time.Second }},
		{"drain_delay", "250ms", func(c *Config) { c.DrainDelay = 250 * time.Millisecond }},
		{"tracing", "http://c:4318", func(c *Config) { c.Tracing = "http://c:4318" }},
		{"trace_ratio", "0.5", func(c *Config) { c.TraceRatio = 0.5 }},
		{"log_level", "debug", func(c *Config) { c.LogLevel = "debug" }},
		{"log_format", "json", func(c *Config) { c.LogFormat = "json" }},
		{"limits.signups_per_ip_per_minute", "1", func(c *Config) { c.Limits.SignupsPerIPPerMinute = 1 }},
		{"limits.logins_per_ip_per_minute", "2", func(c *Config) { c.Limits.LoginsPerIPPerMinute = 2 }},
		{"limits.sends_per_second", "5", func(c *Config) { c.Limits.SendsPerSecond = 5 }},
		{"limits.send_burst", "3", func(c *Config) { c.Limits.SendBurst = 3 }},
		{"limits.connections_per_user", "4", func(c *Config) { c.Limits.ConnectionsPerUser = 4 }},
		{"limits.connections", "7", func(c *Config) { c.Limits.Connections = 7 }},
		{"limits.requests_per_second", "8", func(c *Config) { c.Limits.RequestsPerSecond = 8 }},
		{"limits.request_burst", "9", func(c *Config) { c.Limits.RequestBurst = 9 }},
		{"limits.queue_bytes", "0", func(c *Config) { c.Limits.QueueBytes = 0 }},
		{"limits.body_bytes", "100", func(c *Config) { c.Limits.BodyBytes = 100 }},
	} {
		want := defaults()
		s.set(&want)
		section, name, nested := strings.Cut(s.key, ".")
		line := s.key + ": \"" + s.value + "\"\n"
		if nested {
			line = section + ":\n  " + name + ": \"" + s.value + "\"\n"
		}
		upper := "FECHATTER_" + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
		flag := "--" + strings.NewReplacer("_", "-", ".", "-").Replace(s.key) + "=" + s.value
		t.Run(s.key, func(t *testing.T) {
			check := func(where string, c Config, err error) {
				if err != nil {
					t.Errorf("%s: %v", where, err)
				} else if diff := cmp.Diff(want, c, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s: %s", where, diff)
				}
			}
			c, err := load(t, line)
			check("file", c, err)
			c, err = load(t, "", flag)
			check("flag", c, err)
			t.Setenv(upper, s.value)
			c, err = load(t, "")
			check(upper, c, err)
		})
	}
}

func TestNatsSettings(t *testing.T) {
	const database, servers = "postgres://fechatter@127.0.0.1/chat", "tls://a:4222, tls://b:4222"
	t.Setenv("FECHATTER_DATABASE", database)
	want := defaults()
	want.Database, want.Nats = database, servers
	want.NatsAccess = NatsAccess{TLSCA: "ca.pem", TLSCert: "node.pem", TLSKey: "node.key", Token: "t"}
	file := "nats: \"" + servers + "\"\nnats_tls_ca: ca.pem\nnats_tls_cert: node.pem\nnats_tls_key: node.key\nnats_token: t\n"
	c, err := load(t, file)
	if diff := cmp.Diff(want, c, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("file: %v %s", err, diff)
	}
	c, err = load(t, "", "--nats="+servers, "--nats-tls-ca=ca.pem", "--nats-tls-cert=node.pem", "--nats-tls-key=node.key", "--nats-token=t")
	if diff := cmp.Diff(want, c, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("flags: %v %s", err, diff)
	}
	for name, value := range map[string]string{"": servers, "_TLS_CA": "ca.pem", "_TLS_CERT": "node.pem", "_TLS_KEY": "node.key", "_TOKEN": "t"} {
		t.Setenv("FECHATTER_NATS"+name, value)
	}
	c, err = load(t, "")
	if diff := cmp.Diff(want, c, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("environment: %v %s", err, diff)
	}
	t.Setenv("FECHATTER_NATS_TOKEN", "")
	t.Setenv("FECHATTER_NATS_CREDS", "node.creds")
	if c, err = load(t, ""); err != nil || c.NatsAccess.Creds != "node.creds" {
		t.Errorf("creds: %+v, %v", c.NatsAccess, err)
	}
	t.Setenv("FECHATTER_NATS_CREDS", "")
	t.Setenv("FECHATTER_NATS_NKEY", "node.nk")
	if c, err = load(t, ""); err != nil || c.NatsAccess.Nkey != "node.nk" {
		t.Errorf("nkey: %+v, %v", c.NatsAccess, err)
	}
}

func TestRefusedNatsSettings(t *testing.T) {
	for args, want := range map[string]string{
		"--nats=nats://a:1,redis://b":                         `nats: "redis:" is not known`,
		"--nats=nats://a:1,":                                  `nats: ":" is not known`,
		"--nats=nats://":                                      `names no host`,
		"--nats=nats://u:ge%heim@h":                           `an address cannot be read`,
		"--nats=nats://a,wss://b":                             `do not go together`,
		"--nats=embedded:,nats://u:geheim@h":                  `"embedded:,nats://u:xxxxx@h"`,
		"--nats-token=t":                                      `takes no nats_tls_… and no credentials`,
		"--nats-tls-ca=ca.pem":                                `takes no nats_tls_… and no credentials`,
		"--nats=nats://a --nats-tls-cert=c.pem":               `one needs the other`,
		"--nats=nats://a --nats-token=t --nats-nkey=n":        `nats_nkey and nats_token exclude each other`,
		"--nats=nats://u:p@a --nats-creds=c":                  `a user in the address and nats_creds exclude each other`,
		"--nats=nats://a --database=sqlite:data/fechatter.db": `a shared bus needs a shared database`,
	} {
		all := append([]string{"--database=postgres://127.0.0.1/chat"}, strings.Fields(args)...)
		_, err := load(t, "", all...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "heim") {
			t.Errorf("%s: %v; want %s", args, err, want)
		}
	}
}

// A file that is missing is told when the node opens, in words that name it.
func TestMissingNatsFileEndsTheStart(t *testing.T) {
	c, err := load(t, "", "--listen=127.0.0.1:0", "--admin-listen=")
	if err != nil {
		t.Fatal(err)
	}
	c.Nats, c.NatsAccess.TLSCA = "tls://127.0.0.1:1", "missing.pem"
	_, err = Open(t.Context(), c, "test", slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "nats: read CA certificates: open missing.pem") {
		t.Errorf("Open: %v", err)
	}
}

func TestLaterSourcesWin(t *testing.T) {
	const file = "listen: 127.0.0.1:1\nallowed_origins: [https://a.example, https://b.example]\nlimits:\n  send_burst: 1\n"
	c, err := load(t, file)
	if err != nil || c.Listen != "127.0.0.1:1" || c.Limits.SendBurst != 1 || len(c.AllowedOrigins) != 2 {
		t.Errorf("file over default: %+v, %v", c, err)
	}
	t.Setenv("FECHATTER_LISTEN", "127.0.0.1:2")
	t.Setenv("FECHATTER_LIMITS_SEND_BURST", "2")
	if c, err = load(t, file); err != nil || c.Listen != "127.0.0.1:2" || c.Limits.SendBurst != 2 {
		t.Errorf("environment over file: %+v, %v", c, err)
	}
	if c, err = load(t, file, "--listen=127.0.0.1:3"); err != nil || c.Listen != "127.0.0.1:3" || c.Limits.SendBurst != 2 {
		t.Errorf("flag over environment: %+v, %v", c, err)
	}
}

func TestNamedFile(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.yml")
	if err := os.WriteFile(other, []byte("listen: 127.0.0.1:7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const ignored = "listen: 127.0.0.1:8\nlog_level: debug\n"
	if c, err := load(t, ignored, "--config", other); err != nil || c.Listen != "127.0.0.1:7" || c.LogLevel != "info" {
		t.Errorf("--config: %+v, %v", c, err)
	}
	t.Setenv("FECHATTER_CONFIG", other)
	if c, err := load(t, ignored); err != nil || c.Listen != "127.0.0.1:7" {
		t.Errorf("FECHATTER_CONFIG: %+v, %v", c, err)
	}
	if _, err := load(t, "", "--config", other+".missing"); err == nil {
		t.Error("a named file that is missing was passed over")
	}
}

func TestRefusedFiles(t *testing.T) {
	for file, want := range map[string]string{
		"listne: 127.0.0.1:1\n":                   `chat.yml:1: there is no setting "listne"`,
		"limits:\n  sends: 1\n":                   `chat.yml:2: there is no setting "limits.sends"`,
		"limits_send_burst: 1\nlimits: 3\n":       `chat.yml:2: there is no setting "limits"`,
		"log-level: debug\n":                      `chat.yml:1: there is no setting "log-level"`,
		"config: a.yml\n":                         `chat.yml:1: there is no setting "config"`,
		"help: true\n":                            `chat.yml:1: there is no setting "help"`,
		"listen: a:1\nlisten: a:2\n":              `"listen"`,
		"- listen\n":                              `must hold names and values`,
		"listen: [a: b]\n":                        `chat.yml:1: "listen" must be a list of plain values`,
		"limits:\n  send_burst: many\n":           `many`,
		"drain_delay: soon\n":                     `soon`,
		"listen: \"\n":                            `chat.yml: yaml`,
		"limits:\n  send_burst: 1.5\n":            `1.5`,
		"limits:\n  nested:\n    send_burst: 1\n": `chat.yml:3: there is no setting "limits.nested.send_burst"`,
	} {
		if _, err := load(t, file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %s", file, err, want)
		}
	}
}

func TestRefusedSettings(t *testing.T) {
	for arg, want := range map[string]string{
		"--database=mysql://x":              "database:",
		"--database=sqlite:":                "needs a file",
		"--nats=redis://x":                  "nats:",
		"--nats=nats://127.0.0.1:4222":      "a shared bus needs a shared database",
		"--presence=nats://x":               "presence:",
		"--presence=memory:x":               "presence:",
		"--presence=redis://":               "presence:",
		"--away-after=1ms":                  "away_after:",
		"--listen=8080":                     "listen:",
		"--listen=":                         "listen:",
		"--admin-listen=9090":               "admin_listen:",
		"--public-url=chat.example":         "public_url:",
		"--public-url=https://a.example/x":  "public_url:",
		"--allowed-origins=*":               "allowed_origins:",
		"--allowed-origins=null":            "allowed_origins:",
		"--trusted-proxies=proxy.example":   "trusted_proxies:",
		"--administrators=Root":             "administrators:",
		"--drain-delay=1m":                  "drain_delay:",
		"--drain-delay=-1s":                 "drain_delay:",
		"--tracing=c:4318":                  "tracing:",
		"--trace-ratio=1.5":                 "trace_ratio:",
		"--log-level=loud":                  "log_level:",
		"--log-format=xml":                  "log_format:",
		"--limits-send-burst=0":             "limits.send_burst:",
		"--limits-send-burst=-1":            "limits.send_burst:",
		"--limits-request-burst=0":          "limits.request_burst:",
		"--limits-connections=-1":           "limits.connections:",
		"--limits-sends-per-second=-1":      "limits.sends_per_second:",
		"--limits-queue-bytes=1000":         "limits.queue_bytes:",
		"--limits-body-bytes=0":             "limits.body_bytes:",
		"--limits-body-bytes=1000000":       "limits.body_bytes:",
		"--limits-connections-per-user=-1":  "limits.connections_per_user:",
		"--limits-logins-per-ip-per-minute": "expected",
		"--no-such-flag":                    "unknown flag",
		"sreve":                             "unexpected argument",
	} {
		if _, err := load(t, "", arg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", arg, err, want)
		}
	}
}

func TestCommands(t *testing.T) {
	t.Chdir(t.TempDir())
	for arg, want := range map[string]Command{"": Serve, "serve": Serve, "config": ShowConfig, "version": ShowVersion} {
		var args []string
		if arg != "" {
			args = []string{arg}
		}
		if got, err := LoadConfig(args, io.Discard); err != nil || got.Command != want {
			t.Errorf("%q: %q, %v; want %q", arg, got.Command, err, want)
		}
	}
}

// What `fechatter config` prints is a chat.yml that means the same.
func TestPrintedSettingsAreASettingsFile(t *testing.T) {
	want, err := load(t, "", "--database=postgres://127.0.0.1/chat", "--nats=nats://127.0.0.1:4222",
		"--allowed-origins=https://a.example", "--drain-delay=2s", "--limits-sends-per-second=3")
	if err != nil {
		t.Fatal(err)
	}
	got, err := load(t, want.String())
	if err != nil {
		t.Fatalf("%v in\n%s", err, want)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// The chat.yml beside the sources shows every setting and its default.
func TestShippedFileShowsTheDefaults(t *testing.T) {
	shipped, err := os.ReadFile("../chat.yml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := load(t, string(shipped))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(defaults(), got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	for line := range strings.Lines(defaults().String()) {
		if key, _, _ := strings.Cut(strings.TrimSpace(line), ":"); !strings.Contains(string(shipped), key+":") {
			t.Errorf("chat.yml does not show %s", key)
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	for setting, want := range map[string]string{
		"postgres://u:geheim@h/db":                       "postgres://u:xxxxx@h/db",
		"postgres://u@h/db?password=geheim":              "postgres://u@h/db?password=xxxxx",
		"postgres://u@h/db?sslpassword=geheim&sslmode=x": "postgres://u@h/db?sslmode=x&sslpassword=xxxxx",
		"postgres://u:ge heim@h/db":                      "postgres://xxxxx",
		"nats://geheim@h:4222":                           "nats://xxxxx@h:4222",
		"sqlite:data/fechatter.db":                       "sqlite:data/fechatter.db",
		"embedded:":                                      "embedded:",
	} {
		if got := maskURL(setting); got != want {
			t.Errorf("%s is shown as %s, want %s", setting, got, want)
		}
	}
	c := Config{Nats: "nats://a:geheim@h:1,nats://geheim@i:2", NatsAccess: NatsAccess{Token: "geheim"}}
	if out := c.String(); strings.Contains(out, "geheim") || !strings.Contains(out, "a:xxxxx@h:1,nats://xxxxx@i:2") {
		t.Errorf("two servers: %s", out)
	}
}

// What cannot be understood is answered with where it is explained.
func TestHelpIsFound(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"admin"}, {"admin", "suspend"}, {"backup"}, {"--listen"}, {"--limits-send-burst=many"}} {
		if _, err := LoadConfig(args, io.Discard); err == nil || !strings.Contains(err.Error(), "see fechatter --help") {
			t.Errorf("%v: %v", args, err)
		}
	}
	if _, err := load(t, "no_such_setting: 1\n"); err == nil || strings.Contains(err.Error(), "--help") {
		t.Errorf("of a file: %v", err)
	}
	for asked, want := range map[string]string{"help": "--help", "help admin suspend": "admin suspend --help", "backup help": "backup help", "": ""} {
		if got := strings.Join(askedForHelp(strings.Fields(asked)), " "); got != want {
			t.Errorf("%q is taken for %q, want %q", asked, got, want)
		}
	}
}
