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
		Database: "sqlite:data/fechatter.db", Nats: "embedded:", BusUnsigned: unsignedAuto, BusEncryption: off, Presence: "memory:",
		Search: "bleve:data/search", AsyncIndexing: AsyncIndexing{BatchSize: 10, BatchTimeoutMS: 1000},
		Meilisearch: Meilisearch{Index: "messages", ConnectionTimeoutMS: 2000, RequestTimeoutMS: 3000},
		Listen:      "127.0.0.1:8080", AdminListen: "127.0.0.1:9090", TLS: off, RequireSecondFactor: "nobody", PasswordLogin: on,
		ACME:      ACME{Directory: "https://acme-v02.api.letsencrypt.org/directory", Storage: certificateDatabase},
		AwayAfter: 5 * time.Minute, FlushDelay: 20 * time.Millisecond, DrainDelay: 5 * time.Second,
		Registration: "invite", Invitations: "everyone", Bots: "administrators", TraceRatio: 0.01, LogLevel: "info", LogFormat: "text",
		Limits: Limits{
			SignupsPerIPPerMinute: 30, LoginsPerIPPerMinute: 60, SendsPerSecond: 10, SendBurst: 20, DeliveriesPerSecond: 10_000, BytesPerDay: 100 << 20,
			ConnectionsPerUser: 32, Connections: 50_000, Sockets: 1 << 16, SocketsPerAddress: 1 << 14, RequestsPerSecond: 100, RequestBurst: 400, PeoplePerMinute: 120, PeopleBurst: 600, QueueBytes: 1 << 20, BodyBytes: 16 << 10,
			FileBytes: 100 << 20, Attachments: 10,
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
		{"files", "folder:/srv/files", func(c *Config) { c.Files = "folder:/srv/files" }},
		{"uploads", "/srv/uploads", func(c *Config) { c.Uploads = "/srv/uploads" }},
		{"listen", "0.0.0.0:80", func(c *Config) { c.Listen = "0.0.0.0:80" }},
		{"admin_listen", "127.0.0.1:1", func(c *Config) { c.AdminListen = "127.0.0.1:1" }},
		{"admin_token", "t", func(c *Config) { c.AdminToken = "t" }},
		{"admin_pprof", "true", func(c *Config) { c.AdminPprof = true }},
		{"public_url", "https://a.example", func(c *Config) { c.PublicURL = "https://a.example" }},
		{"redirect_listen", "off", func(c *Config) { c.RedirectListen = "off" }},
		{"acme_directory", "https://ca.example/acme", func(c *Config) { c.ACME.Directory = "https://ca.example/acme" }},
		{"acme_ca", "roots.pem", func(c *Config) { c.ACME.CA = "roots.pem" }},
		{"acme_email", "ops@example.org", func(c *Config) { c.ACME.Email = "ops@example.org" }},
		{"acme_storage", "folder:certs", func(c *Config) { c.ACME.Storage = "folder:certs" }},
		{"trusted_proxies", " 10.0.0.0/8, ::1 ,", func(c *Config) { c.TrustedProxies = []string{"10.0.0.0/8", "::1"} }},
		{"trusted_hops", "2", func(c *Config) { c.TrustedHops = 2 }},
		{"allowed_origins", "https://b.example", func(c *Config) { c.AllowedOrigins = []string{"https://b.example"} }},
		{"allowed_hosts", "chat.svc,node1:8080", func(c *Config) { c.AllowedHosts = []string{"chat.svc", "node1:8080"} }},
		{"registration", "closed", func(c *Config) { c.Registration = "closed" }},
		{"jwt", "[{issuer: a, audience: b, keys: " + strings.Repeat("k", 32) + ", create: false}]", func(c *Config) {
			c.JWT = Issuers{{Issuer: "a", Audience: "b", Keys: strings.Repeat("k", 32), Create: new(false)}}
		}},
		{"bots", "everyone", func(c *Config) { c.Bots = "everyone" }},
		{"invitations", "administrators", func(c *Config) { c.Invitations = "administrators" }},
		{"mail_from", "Acme <chat@a.example>", func(c *Config) { c.MailFrom = "Acme <chat@a.example>" }},
		{"mail_password", "p", func(c *Config) { c.MailPassword = "p" }},
		{"mail_ca", "/ca.pem", func(c *Config) { c.MailCA = "/ca.pem" }},
		{"administrators", "root,ann", func(c *Config) { c.Administrators = []string{"root", "ann"} }},
		{"require_second_factor", "everyone", func(c *Config) { c.RequireSecondFactor = "everyone" }},
		{"outbound_allow", "10.0.0.0/8,id.svc", func(c *Config) { c.OutboundAllow = []string{"10.0.0.0/8", "id.svc"} }},
		{"outbound_proxy", "http://p:3128", func(c *Config) { c.OutboundProxy = "http://p:3128" }},
		{"away_after", "90s", func(c *Config) { c.AwayAfter = 90 * time.Second }},
		{"flush_delay", "5ms", func(c *Config) { c.FlushDelay = 5 * time.Millisecond }},
		{"drain_delay", "250ms", func(c *Config) { c.DrainDelay = 250 * time.Millisecond }},
		{"tracing", "http://c:4318", func(c *Config) { c.Tracing = "http://c:4318" }},
		{"trace_ratio", "0.5", func(c *Config) { c.TraceRatio = 0.5 }},
		{"log_level", "debug", func(c *Config) { c.LogLevel = "debug" }},
		{"log_format", "json", func(c *Config) { c.LogFormat = "json" }},
		{"limits.signups_per_ip_per_minute", "1", func(c *Config) { c.Limits.SignupsPerIPPerMinute = 1 }},
		{"limits.logins_per_ip_per_minute", "2", func(c *Config) { c.Limits.LoginsPerIPPerMinute = 2 }},
		{"limits.sends_per_second", "5", func(c *Config) { c.Limits.SendsPerSecond = 5 }},
		{"limits.send_burst", "3", func(c *Config) { c.Limits.SendBurst = 3 }},
		{"limits.deliveries_per_second", "6", func(c *Config) { c.Limits.DeliveriesPerSecond = 6 }},
		{"limits.bytes_per_day", "70000", func(c *Config) { c.Limits.BytesPerDay = 70000 }},
		{"limits.connections_per_user", "4", func(c *Config) { c.Limits.ConnectionsPerUser = 4 }},
		{"limits.connections", "7", func(c *Config) { c.Limits.Connections = 7 }},
		{"limits.sockets", "100", func(c *Config) { c.Limits.Sockets = 100 }},
		{"limits.sockets_per_address", "10", func(c *Config) { c.Limits.SocketsPerAddress = 10 }},
		{"limits.requests_per_second", "8", func(c *Config) { c.Limits.RequestsPerSecond = 8 }},
		{"limits.request_burst", "9", func(c *Config) { c.Limits.RequestBurst = 9 }},
		{"limits.people_per_minute", "11", func(c *Config) { c.Limits.PeoplePerMinute = 11 }},
		{"limits.people_burst", "12", func(c *Config) { c.Limits.PeopleBurst = 12 }},
		{"limits.queue_bytes", "0", func(c *Config) { c.Limits.QueueBytes = 0 }},
		{"limits.body_bytes", "100", func(c *Config) { c.Limits.BodyBytes = 100 }},
		{"limits.file_bytes", "101", func(c *Config) { c.Limits.FileBytes = 101 }},
		{"limits.attachments", "3", func(c *Config) { c.Limits.Attachments = 3 }},
		{"limits.user_storage_bytes", "5", func(c *Config) { c.Limits.UserStorageBytes = 5 }},
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
		"--nats=nats://a:1,redis://b":                         `nats: unknown scheme "redis:"`,
		"--nats=nats://a:1,":                                  `nats: unknown scheme ":"`,
		"--nats=nats://":                                      `no host in`,
		"--nats=nats://u:ge%heim@h":                           `invalid address`,
		"--nats=nats://a,wss://b":                             `cannot be combined`,
		"--nats=embedded:,nats://u:geheim@h":                  `"embedded:,nats://u:xxxxx@h"`,
		"--nats-token=t":                                      `takes no nats_tls_… and no credentials`,
		"--nats-tls-ca=ca.pem":                                `takes no nats_tls_… and no credentials`,
		"--nats=nats://a --nats-tls-cert=c.pem":               `one needs the other`,
		"--nats=nats://a --nats-token=t --nats-nkey=n":        `nats_nkey and nats_token are mutually exclusive`,
		"--nats=nats://u:p@a --nats-creds=c":                  `a user in the address and nats_creds are mutually exclusive`,
		"--nats=nats://a --database=sqlite:data/fechatter.db": `a shared bus needs a shared database`,
	} {
		all := append([]string{"--database=postgres://127.0.0.1/chat"}, strings.Fields(args)...)
		_, err := load(t, "", all...)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "heim") {
			t.Errorf("%s: %v; want %s", args, err, want)
		}
	}
}

func TestTLSSettings(t *testing.T) {
	const public, pair, at = "https://chat.example.org", "cert.pem,key.pem", "127.0.0.1:8081"
	want := defaults()
	want.PublicURL, want.TLS, want.RedirectListen = public, pair, at
	check := func(where string, c Config, err error) {
		t.Helper()
		if diff := cmp.Diff(want, c, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s: %v %s", where, err, diff)
		}
	}
	c, err := load(t, "public_url: "+public+"\ntls: "+pair+"\nredirect_listen: "+at+"\n")
	check("file", c, err)
	c, err = load(t, "", "--public-url="+public, "--tls="+pair, "--redirect-listen="+at)
	check("flags", c, err)
	for name, value := range map[string]string{"PUBLIC_URL": public, "TLS": pair, "REDIRECT_LISTEN": at} {
		t.Setenv("FECHATTER_"+name, value)
	}
	c, err = load(t, "")
	check("environment", c, err)
}

// Where plain HTTP is redirected follows from tls and listen.
func TestRedirectAddress(t *testing.T) {
	for args, want := range map[string]string{
		"--tls=off":                          "",
		"--tls=c,k":                          "",
		"--tls=c,k --redirect-listen=:81":    ":81",
		"--tls=acme --listen=192.0.2.1:443":  "192.0.2.1:80",
		"--tls=acme --listen=:443":           ":80",
		"--tls=acme --redirect-listen=off":   "",
		"--tls=acme --redirect-listen=:8080": ":8080",
	} {
		c, err := load(t, "", append(strings.Fields(args), "--public-url=https://chat.example.org")...)
		if got := c.redirectAddress(); err != nil || got != want {
			t.Errorf("%s: %q, %v", args, got, err)
		}
	}
}

func TestRefusedTLSSettings(t *testing.T) {
	for args, want := range map[string]string{
		"--tls=on":                `tls: "on" is not off, acme, or two files`,
		"--tls=cert.pem":          `tls: "cert.pem" is not`,
		"--tls=cert.pem,":         `tls: "cert.pem," is not`,
		"--tls=a,b,c":             `tls: "a,b,c" is not`,
		"--tls=a,b --public-url=": `tls: needs the address that people type in public_url`,
		"--tls=a,b --public-url=http://chat.example.org":               `tls: needs the address`,
		"--tls=a,b --redirect-listen=80":                               `redirect_listen: "80" is not an address`,
		"--redirect-listen=:80":                                        `redirect_listen: redirects to https, which tls: off does not serve`,
		"--tls=acme --public-url=https://192.0.2.1":                    `tls: acme: no authority certifies "192.0.2.1"`,
		"--tls=acme --public-url=https://[2001:db8::1]":                `tls: acme: no authority certifies "2001:db8::1"`,
		"--tls=acme --public-url=https://localhost":                    `tls: acme: no authority certifies "localhost"`,
		"--tls=acme --acme-directory=http://ca.example":                `acme_directory: "http://ca.example" is not an address`,
		"--tls=acme --acme-email=ops":                                  `acme_email: "ops" is not an address`,
		"--tls=acme --acme-storage=data":                               `acme_storage: "data" is neither`,
		"--tls=acme --acme-storage=folder:":                            `acme_storage: "folder:" is neither`,
		"--tls=acme --acme-storage=folder:c --nats=nats://127.0.0.1:1": `acme_storage: nodes that share a bus must share their certificates`,
	} {
		all := append([]string{"--database=postgres://127.0.0.1/chat", "--public-url=https://chat.example.org"}, strings.Fields(args)...)
		if _, err := load(t, "", all...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", args, err, want)
		}
	}
}

// Opening a node reports a missing file by name.
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
		t.Error("a missing named file was ignored")
	}
}

func TestRefusedFiles(t *testing.T) {
	for file, want := range map[string]string{
		"listne: 127.0.0.1:1\n":                   `chat.yml:1: unknown setting "listne"`,
		"limits:\n  sends: 1\n":                   `chat.yml:2: unknown setting "limits.sends"`,
		"limits_send_burst: 1\nlimits: 3\n":       `chat.yml:2: unknown setting "limits"`,
		"log-level: debug\n":                      `chat.yml:1: unknown setting "log-level"`,
		"config: a.yml\n":                         `chat.yml:1: unknown setting "config"`,
		"help: true\n":                            `chat.yml:1: unknown setting "help"`,
		"listen: a:1\nlisten: a:2\n":              `"listen"`,
		"- listen\n":                              `must hold names and values`,
		"listen: [a: b]\n":                        `chat.yml:1: "listen" must be a list of plain values`,
		"limits:\n  send_burst: many\n":           `many`,
		"drain_delay: soon\n":                     `soon`,
		"listen: \"\n":                            `chat.yml: yaml`,
		"limits:\n  send_burst: 1.5\n":            `1.5`,
		"limits:\n  nested:\n    send_burst: 1\n": `chat.yml:3: unknown setting "limits.nested.send_burst"`,
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
		"--trusted-proxies=0.0.0.0/0":       "everybody",
		"--trusted-proxies=10.0.0.1,::/0":   "everybody",
		"--trusted-proxies=::ffff:0:0/96":   "everybody",
		"--trusted-proxies=10.0.0.0/33":     "trusted_proxies:",
		"--trusted-hops=-1":                 "trusted_hops:",
		"--trusted-hops=17":                 "trusted_hops:",
		"--administrators=Root":             "administrators:",
		"--flush-delay=2s":                  "flush_delay:",
		"--flush-delay=-1ms":                "flush_delay:",
		"--drain-delay=1m":                  "drain_delay:",
		"--drain-delay=-1s":                 "drain_delay:",
		"--tracing=c:4318":                  "tracing:",
		"--trace-ratio=1.5":                 "trace_ratio:",
		"--log-level=loud":                  "log_level:",
		"--log-format=xml":                  "log_format:",
		"--limits-send-burst=0":             "limits.send_burst:",
		"--limits-send-burst=-1":            "limits.send_burst:",
		"--limits-request-burst=0":          "limits.request_burst:",
		"--limits-people-burst=0":           "limits.people_burst:",
		"--limits-people-per-minute=-1":     "limits.people_per_minute:",
		"--limits-connections=-1":           "limits.connections:",
		"--limits-sends-per-second=-1":      "limits.sends_per_second:",
		"--limits-deliveries-per-second=-1": "limits.deliveries_per_second:",
		"--limits-bytes-per-day=20000":      "limits.bytes_per_day:",
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

// What `fechatter config` prints is an equivalent chat.yml.
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

// The chat.yml in the repository shows every setting and its default.
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

// An error in the command line points to the help.
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
			t.Errorf("%q means %q, want %q", asked, got, want)
		}
	}
}
