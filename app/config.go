package app

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Config is every setting of a node. A setting comes from, each over the one
// before: its default, chat.yml, the environment (FECHATTER_ and the name in
// capitals, so FECHATTER_LIMITS_SENDS_PER_SECOND), a flag
// (--limits-sends-per-second). The yaml names are those of chat.yml.
type Config struct {
	Database string `yaml:"database" default:"sqlite:data/fechatter.db" help:"Where facts are kept: sqlite:FILE or postgres://…"`
	Nats     string `yaml:"nats" default:"embedded:" help:"The bus between nodes: embedded:, nats://HOST:4222 or tls://HOST:4222 (several divided by commas)."`

	NatsAccess NatsAccess `yaml:",inline" embed:"" prefix:"nats-"`

	Presence string `yaml:"presence" default:"memory:" help:"Where it is kept who is here: memory: or redis://…"`

	Search        string        `yaml:"search" default:"bleve:data/search" help:"Where messages are found: bleve:FOLDER or http://… of a Meilisearch."`
	AsyncIndexing AsyncIndexing `yaml:"async_indexing" embed:"" prefix:"async-indexing-"`
	Meilisearch   Meilisearch   `yaml:"meilisearch" embed:"" prefix:"meilisearch-"`

	Listen         string        `yaml:"listen" default:"127.0.0.1:8080" help:"Address of the page, the API and the WebSocket."`
	AdminListen    string        `yaml:"admin_listen" default:"127.0.0.1:9090" help:"Address of /metrics and pprof; keep it private. Empty: none."`
	PublicURL      string        `yaml:"public_url" help:"How browsers reach this server, such as https://chat.example.org. Sets the cookie's Secure and the allowed origin."`
	TrustedProxies []string      `yaml:"trusted_proxies" help:"Addresses or networks whose X-Forwarded-For is believed."`
	AllowedOrigins []string      `yaml:"allowed_origins" help:"Further origins whose pages may use this server."`
	Administrators []string      `yaml:"administrators" help:"Usernames that are administrators. Empty: the first user who signs up."`
	AwayAfter      time.Duration `yaml:"away_after" default:"5m" help:"How long a person does nothing before they are shown as away."`
	DrainDelay     time.Duration `yaml:"drain_delay" default:"5s" help:"After SIGTERM, how long to go on while the balancer looks away."`

	Tracing    string  `yaml:"tracing" help:"OTLP collector (http://HOST:4318) that gets traces of sends. Empty: none."`
	TraceRatio float64 `yaml:"trace_ratio" default:"0.01" help:"Which part of the sends is traced, from 0 to 1."`

	LogLevel  string `yaml:"log_level" default:"info" help:"debug, info, warn or error."`
	LogFormat string `yaml:"log_format" default:"text" help:"text or json."`

	Limits Limits `yaml:"limits" embed:"" prefix:"limits-"`
}

// NatsAccess is how this node and external NATS servers come to trust each other.
// A user and password may stand in the address instead.
type NatsAccess struct {
	TLSCA   string `yaml:"nats_tls_ca" name:"tls-ca" help:"File of the authorities (PEM) by which a NATS server's certificate is judged, instead of the system's."`
	TLSCert string `yaml:"nats_tls_cert" name:"tls-cert" help:"File of this node's certificate (PEM) for NATS servers that ask for one."`
	TLSKey  string `yaml:"nats_tls_key" name:"tls-key" help:"File of the key (PEM) of nats_tls_cert."`
	Creds   string `yaml:"nats_creds" help:"File of NATS credentials (.creds)."`
	Nkey    string `yaml:"nats_nkey" help:"File of the seed of a NATS nkey."`
	Token   string `yaml:"nats_token" help:"Token for NATS."`
}

// AsyncIndexing says how changes gather before they are indexed.
type AsyncIndexing struct {
	BatchSize      int `yaml:"batch_size" default:"10" help:"Changes after which a batch for the search index does not wait any more."`
	BatchTimeoutMS int `yaml:"batch_timeout_ms" default:"1000" help:"Milliseconds that the first change of a batch waits at most."`
}

// Meilisearch is how to use the server that search names.
type Meilisearch struct {
	APIKey              string `yaml:"api_key" name:"api-key" help:"Key for Meilisearch."`
	Index               string `yaml:"index" default:"messages" help:"Name of the index."`
	ConnectionTimeoutMS int    `yaml:"connection_timeout_ms" default:"2000" help:"Milliseconds to connect within."`
	RequestTimeoutMS    int    `yaml:"request_timeout_ms" default:"3000" help:"Milliseconds for one request."`
}

// Limits bound what one client may take. 0 means no limit.
type Limits struct {
	SignupsPerIPPerMinute int `yaml:"signups_per_ip_per_minute" name:"signups-per-ip-per-minute" default:"30" help:"Sign-ups from one address."`
	LoginsPerIPPerMinute  int `yaml:"logins_per_ip_per_minute" name:"logins-per-ip-per-minute" default:"60" help:"Log-ins from one address."`
	SendsPerSecond        int `yaml:"sends_per_second" default:"10" help:"Sends, edits and reactions of one user, in the long run."`
	SendBurst             int `yaml:"send_burst" default:"20" help:"Of those, how many at once."`
	ConnectionsPerUser    int `yaml:"connections_per_user" default:"32" help:"Live connections of one user."`
	Connections           int `yaml:"connections" default:"50000" help:"Live connections of this node."`
	RequestsPerSecond     int `yaml:"requests_per_second" default:"100" help:"Requests of one user, and commands that are no sends, in the long run."`
	RequestBurst          int `yaml:"request_burst" default:"400" help:"Of those, how many at once."`
	QueueBytes            int `yaml:"queue_bytes" default:"1048576" help:"Bytes that may wait for one slow connection."`
	BodyBytes             int `yaml:"body_bytes" default:"16384" help:"Bytes of one message."`
}

// Command is what the process was asked to do.
type Command string

// The subcommands.
const (
	Serve         Command = "serve"
	ShowConfig    Command = "config"
	ShowVersion   Command = "version"
	CheckConform  Command = "conform"
	MigrateData   Command = "migrate"
	TellRestored  Command = "restored"
	AskAdmin      Command = "admin"
	MakeIndex     Command = "reindex"
	CopyDatabase  Command = "backup"
	AskHealth     Command = "healthcheck"
	defaultConfig         = "chat.yml"
)

// Invocation is what the process was asked to do, how, and with which settings.
type Invocation struct {
	Command Command
	Config  Config
	Conform Conform        // of CheckConform
	Migrate Migrate        // of MigrateData
	Admin   Administration // of AskAdmin
	Reindex Reindex        // of MakeIndex
	Backup  Backup         // of CopyDatabase
}

type commandLine struct {
	Settings   Config `embed:""`
	ConfigFile string `name:"config" type:"path" help:"Settings file; without it chat.yml in this folder, if there is one."`
	fileError  error  `kong:"-"` // says all there is to say

	Serve   struct{} `cmd:"" default:"1" help:"Run a node (the default)."`
	Config  struct{} `cmd:"" help:"Print the settings in force, without secrets."`
	Version struct{} `cmd:"" help:"Print the version."`
	Conform Conform  `cmd:"" help:"Ask a running server whether it keeps the protocol."`
	Migrate Migrate  `cmd:"" help:"Move everything from one database to another."`

	Admin   Administration `cmd:"" help:"Administer users and chats, beside running nodes."`
	Reindex Reindex        `cmd:"" help:"Make the search index anew from the database; nodes may run meanwhile."`

	Backup      Backup   `cmd:"" help:"Copy an SQLite database into a file, while its node runs."`
	Healthcheck struct{} `cmd:"" help:"Ask the node of these settings whether it can take traffic; exit status 1: no."`

	Restored struct{} `cmd:"" help:"Tell the database that it was restored from a backup, before any node starts."`
}

// BeforeResolve adds the settings file, whose name is itself a setting.
func (c *commandLine) BeforeResolve(ctx *kong.Context) error {
	f, err := openSettings(c.fileName(ctx), ctx.Model.Flags)
	if err == nil && f != nil {
		ctx.AddResolver(f)
	}
	c.fileError = err
	return err
}

func (c *commandLine) fileName(ctx *kong.Context) string {
	for _, flag := range ctx.Model.Flags {
		if flag.Name == "config" {
			return ctx.FlagValue(flag).(string)
		}
	}
	return ""
}

// askedForHelp takes "help backup" for "backup --help".
func askedForHelp(args []string) []string {
	if len(args) == 0 || args[0] != "help" {
		return args
	}
	return append(slices.Clone(args[1:]), "--help")
}

// LoadConfig reads the settings and the subcommand from args, the environment
// and chat.yml. Help goes to out and ends the process. An error says which
// setting is wrong and why.
func LoadConfig(args []string, out io.Writer) (Invocation, error) {
	var line commandLine
	parser, err := kong.New(&line,
		kong.Name("fechatter"),
		kong.Description("A chat server in one binary."),
		kong.DefaultEnvars("FECHATTER"),
		kong.Writers(out, out),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
	)
	if err != nil {
		return Invocation{}, fmt.Errorf("build command line: %w", err)
	}
	ctx, err := parser.Parse(askedForHelp(args))
	if line.fileError != nil {
		return Invocation{}, line.fileError
	}
	if _, unusable := errors.AsType[*kong.ParseError](err); unusable {
		return Invocation{}, fmt.Errorf("%w; see fechatter --help, or fechatter COMMAND --help", err)
	}
	if err != nil {
		return Invocation{}, err
	}
	if err := line.Settings.validate(); err != nil {
		return Invocation{}, err
	}
	name, rest, _ := strings.Cut(ctx.Command(), " ") // what follows are its arguments
	line.Admin.Act, _, _ = strings.Cut(rest, " ")
	return Invocation{Command: Command(name), Config: line.Settings, Conform: line.Conform, Migrate: line.Migrate, Admin: line.Admin, Reindex: line.Reindex, Backup: line.Backup}, nil
}
