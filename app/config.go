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

// Config holds every setting of a node. A setting comes from the last of these that
// has it: its default, chat.yml, the environment (FECHATTER_ and the name in capitals,
// such as FECHATTER_LIMITS_SENDS_PER_SECOND), a flag (--limits-sends-per-second). The
// yaml names are those of chat.yml.
type Config struct {
	Database string `yaml:"database" default:"sqlite:data/fechatter.db" help:"The database: sqlite:FILE or postgres://…"`
	Nats     string `yaml:"nats" default:"embedded:" help:"The bus between nodes: embedded:, nats://HOST:4222 or tls://HOST:4222 (several separated by commas)."`

	NatsAccess NatsAccess `yaml:",inline" embed:"" prefix:"nats-"`

	BusUnsigned   string `yaml:"bus_unsigned" default:"auto" help:"Whether nodes of a release that signs nothing may share the bus: accept, refuse, or auto: for an hour after the upgrade."`
	BusEncryption string `yaml:"bus_encryption" default:"off" help:"Whether messages between nodes are encrypted: on or off. They are signed either way."`

	Presence string `yaml:"presence" default:"memory:" help:"Where presence is kept: memory: or redis://…"`

	Search        string        `yaml:"search" default:"bleve:data/search" help:"The search index: bleve:FOLDER, or the http://… address of a Meilisearch."`
	AsyncIndexing AsyncIndexing `yaml:"async_indexing" embed:"" prefix:"async-indexing-"`
	Meilisearch   Meilisearch   `yaml:"meilisearch" embed:"" prefix:"meilisearch-"`

	Files   string `yaml:"files" help:"Where files are kept: folder:PATH or s3://KEY:SECRET@HOST/BUCKET. Empty: the folder files beside an SQLite database; with PostgreSQL nowhere."`
	Uploads string `yaml:"uploads" help:"Folder of uploads in parts, the same for all nodes. Empty: the folder uploads beside files."`

	Listen              string        `yaml:"listen" default:"127.0.0.1:8080" help:"Address of the page, the API and the WebSocket."`
	AdminListen         string        `yaml:"admin_listen" default:"127.0.0.1:9090" help:"Address of /metrics and of /readyz?verbose; keep it private. Empty for none."`
	AdminToken          string        `yaml:"admin_token" help:"Bearer token that admin_listen asks for. Empty for none."`
	AdminPprof          bool          `yaml:"admin_pprof" help:"Serve /debug/pprof/ on admin_listen."`
	PublicURL           string        `yaml:"public_url" help:"How browsers reach this server, such as https://chat.example.org: then by no other name. Makes the cookie Secure."`
	TLS                 string        `yaml:"tls" name:"tls" default:"off" help:"TLS by this node: off, two files CERT,KEY (PEM, read again when they change), or acme: it gets a certificate for public_url by itself."`
	RedirectListen      string        `yaml:"redirect_listen" help:"With TLS, the address where plain HTTP is redirected to public_url and ACME may check it. Empty: port 80 with tls: acme, otherwise none. off: none."`
	ACME                ACME          `yaml:",inline" embed:"" prefix:"acme-"`
	TrustedProxies      []string      `yaml:"trusted_proxies" help:"Addresses or networks of proxies, whose X-Forwarded-For is believed."`
	TrustedHops         int           `yaml:"trusted_hops" default:"0" help:"How many proxies a request passes, where their addresses change: the client is the one so many from the end of X-Forwarded-For. Without trusted_proxies, whoever connects is believed."`
	AllowedOrigins      []string      `yaml:"allowed_origins" help:"Other origins whose pages may use this server."`
	AllowedHosts        []string      `yaml:"allowed_hosts" help:"Other names under which programs reach this server, admin_listen too."`
	Registration        string        `yaml:"registration" default:"invite" help:"Who may sign up: invite (whoever has an invitation), open (anybody who finds the address) or closed; administrators may choose another."`
	Invitations         string        `yaml:"invitations" default:"everyone" help:"Who may invite: everyone or administrators."`
	Bots                string        `yaml:"bots" default:"administrators" help:"Who may make bots and keys for them: administrators or everyone."`
	Administrators      []string      `yaml:"administrators" help:"Usernames of further administrators. With open registration and none: whoever signs up first."`
	RequireSecondFactor string        `yaml:"require_second_factor" default:"nobody" help:"Who must have a second factor, and without one can do nothing but set it up: nobody, administrators or everyone."`
	PasswordLogin       string        `yaml:"password_login" default:"on" help:"Whether people may log in and sign up with passwords: on or off."`
	OIDC                Providers     `yaml:"oidc" name:"oidc" help:"Identity providers, as a list in YAML or JSON; see docs/signin.md."`
	JWT                 Issuers       `yaml:"jwt" name:"jwt" help:"Applications whose tokens (JWT) are believed, as a list in YAML or JSON; see docs/operations.md."`
	OutboundAllow       []string      `yaml:"outbound_allow" help:"Addresses, networks and names that are not public, such as that of an identity provider, to which this server may send requests all the same."`
	OutboundProxy       string        `yaml:"outbound_proxy" help:"Proxy (http://HOST:3128) for the requests of this server to others."`
	AwayAfter           time.Duration `yaml:"away_after" default:"5m" help:"How long a person must be idle to be shown as away."`
	FlushDelay          time.Duration `yaml:"flush_delay" default:"20ms" help:"How long the messages of a busy chat may gather before they are written together. 0 writes each at once."`
	DrainDelay          time.Duration `yaml:"drain_delay" default:"5s" help:"After SIGTERM, how long to keep serving while the balancer takes the node out."`

	Mail         string `yaml:"mail" help:"SMTP server for letters: smtp://USER@HOST:587 (STARTTLS), smtps://USER@HOST:465 (TLS) or smtp+plain://HOST:25. Empty for none: administrators hand out links."`
	MailFrom     string `yaml:"mail_from" help:"Sender of letters, such as Fechatter <chat@example.org>."`
	MailPassword string `yaml:"mail_password" help:"Password of the user of mail."`
	MailCA       string `yaml:"mail_ca" name:"mail-ca" help:"File of the authorities (PEM) that verify the mail server's certificate, instead of the system's."`

	Tracing    string  `yaml:"tracing" help:"OTLP collector (http://HOST:4318) for traces of sends. Empty for none."`
	TraceRatio float64 `yaml:"trace_ratio" default:"0.01" help:"Share of sends that is traced, from 0 to 1."`

	LogLevel  string `yaml:"log_level" default:"info" help:"debug, info, warn or error."`
	LogFormat string `yaml:"log_format" default:"text" help:"text or json."`

	Limits Limits `yaml:"limits" embed:"" prefix:"limits-"`
}

// NatsAccess is how this node and external NATS servers authenticate to each other. A
// user and password may be in the address instead.
type NatsAccess struct {
	TLSCA   string `yaml:"nats_tls_ca" name:"tls-ca" help:"File of the authorities (PEM) that verify a NATS server's certificate, instead of the system's."`
	TLSCert string `yaml:"nats_tls_cert" name:"tls-cert" help:"File of this node's certificate (PEM), for NATS servers that ask for one."`
	TLSKey  string `yaml:"nats_tls_key" name:"tls-key" help:"File of the key (PEM) of nats_tls_cert."`
	Creds   string `yaml:"nats_creds" help:"File of NATS credentials (.creds)."`
	Nkey    string `yaml:"nats_nkey" help:"File with the seed of a NATS nkey."`
	Token   string `yaml:"nats_token" help:"Token for NATS."`
}

// ACME is where tls: acme gets its certificate, and where it keeps it.
type ACME struct {
	Directory string `yaml:"acme_directory" default:"https://acme-v02.api.letsencrypt.org/directory" help:"ACME directory of the authority whose terms you accept with tls: acme."`
	CA        string `yaml:"acme_ca" name:"ca" help:"File of the authorities (PEM) that verify the ACME server, instead of the system's."`
	Email     string `yaml:"acme_email" help:"Mail address that the authority may write to."`
	Storage   string `yaml:"acme_storage" default:"database" help:"Where certificates and their keys are kept: database, which all nodes share, or folder:FOLDER for one node."`
}

// AsyncIndexing configures how changes are batched for the search index.
type AsyncIndexing struct {
	BatchSize      int `yaml:"batch_size" default:"10" help:"Number of changes at which a batch for the search index is full."`
	BatchTimeoutMS int `yaml:"batch_timeout_ms" default:"1000" help:"Milliseconds that the first change of a batch waits at most."`
}

// Meilisearch configures the use of the server named by search.
type Meilisearch struct {
	APIKey              string `yaml:"api_key" name:"api-key" help:"Key for Meilisearch."`
	Index               string `yaml:"index" default:"messages" help:"Name of the index."`
	ConnectionTimeoutMS int    `yaml:"connection_timeout_ms" default:"2000" help:"Milliseconds within which to connect."`
	RequestTimeoutMS    int    `yaml:"request_timeout_ms" default:"3000" help:"Milliseconds for one request."`
}

// Limits bound what one client may use. 0 means no limit.
type Limits struct {
	SignupsPerIPPerMinute int `yaml:"signups_per_ip_per_minute" name:"signups-per-ip-per-minute" default:"30" help:"Sign-ups from one address."`
	LoginsPerIPPerMinute  int `yaml:"logins_per_ip_per_minute" name:"logins-per-ip-per-minute" default:"60" help:"Log-ins from one address."`
	SendsPerSecond        int `yaml:"sends_per_second" default:"10" help:"Sends and other events of one user (edits, reactions, joins, topics), on average."`
	SendBurst             int `yaml:"send_burst" default:"20" help:"Of those, how many at once."`
	DeliveriesPerSecond   int `yaml:"deliveries_per_second" default:"10000" help:"Deliveries that one user causes: one for each message and member of its chat, on average."`
	BytesPerDay           int `yaml:"bytes_per_day" default:"104857600" help:"Bytes that one user stores in a day (UTC), on all nodes; each event counts 800 besides its text."`
	ConnectionsPerUser    int `yaml:"connections_per_user" default:"32" help:"Live connections of one user."`
	Connections           int `yaml:"connections" default:"50000" help:"Live connections of this node, at most three quarters of its sockets."`
	Sockets               int `yaml:"sockets" default:"65536" help:"Open sockets of this node. 0: as many as the limit of open files leaves, which bounds them in any case."`
	SocketsPerAddress     int `yaml:"sockets_per_address" default:"16384" help:"Open sockets of one address that is no trusted proxy; at most half of all."`
	RequestsPerSecond     int `yaml:"requests_per_second" default:"100" help:"Requests and commands of one user, except sends, on average."`
	RequestBurst          int `yaml:"request_burst" default:"400" help:"Of those, how many at once."`
	PeoplePerMinute       int `yaml:"people_per_minute" default:"120" help:"People whom one user puts into chats, by making chats and adding members, on average."`
	PeopleBurst           int `yaml:"people_burst" default:"600" help:"Of those, how many at once."`
	QueueBytes            int `yaml:"queue_bytes" default:"1048576" help:"Bytes that may wait for one slow connection."`
	BodyBytes             int `yaml:"body_bytes" default:"16384" help:"Bytes of one message."`
	FileBytes             int `yaml:"file_bytes" default:"104857600" help:"Bytes of one file."`
	Attachments           int `yaml:"attachments" default:"10" help:"Files of one message, at most 100."`
	UserStorageBytes      int `yaml:"user_storage_bytes" default:"0" help:"Bytes of all files of one user. 0 is no limit."`
}

// Command is a subcommand.
type Command string

// The subcommands.
const (
	Serve         Command = "serve"
	ShowConfig    Command = "config"
	ShowVersion   Command = "version"
	CheckConform  Command = "conform"
	MigrateData   Command = "migrate"
	MarkRestored  Command = "restored"
	RunAdmin      Command = "admin"
	RebuildSearch Command = "reindex"
	CopyDatabase  Command = "backup"
	AskHealth     Command = "healthcheck"
	defaultConfig         = "chat.yml"
)

// Invocation is a parsed command line: a subcommand, its arguments and the settings.
type Invocation struct {
	Command Command
	Config  Config
	Conform Conform        // of CheckConform
	Migrate Migrate        // of MigrateData
	Admin   Administration // of RunAdmin
	Reindex Reindex        // of RebuildSearch
	Backup  Backup         // of CopyDatabase
}

type commandLine struct {
	Settings   Config `embed:""`
	ConfigFile string `name:"config" type:"path" help:"Settings file. By default chat.yml in the current folder, if there is one."`
	fileError  error  `kong:"-"` // complete as it is

	Serve   struct{} `cmd:"" default:"1" help:"Run a node (the default)."`
	Config  struct{} `cmd:"" help:"Print the settings in force, with secrets masked."`
	Version struct{} `cmd:"" help:"Print the version."`
	Conform Conform  `cmd:"" help:"Check whether a running server keeps the protocol."`
	Migrate Migrate  `cmd:"" help:"Copy everything from one database to another."`

	Admin   Administration `cmd:"" help:"Administer users and chats; nodes may be running."`
	Reindex Reindex        `cmd:"" help:"Rebuild the search index from the database; nodes may be running."`

	Backup      Backup   `cmd:"" help:"Copy an SQLite database to a file; its node may be running."`
	Healthcheck struct{} `cmd:"" help:"Ask the node with these settings whether it can take traffic; if not, exit with status 1."`

	Restored struct{} `cmd:"" help:"Mark the database as restored from a backup, before any node starts."`
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

// askedForHelp turns "help backup" into "backup --help".
func askedForHelp(args []string) []string {
	if len(args) == 0 || args[0] != "help" {
		return args
	}
	return append(slices.Clone(args[1:]), "--help")
}

// LoadConfig reads the subcommand and the settings from args, the environment and
// chat.yml. A request for help prints it on out and exits. An error names the setting
// that is wrong, and why.
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
	line.Settings.trimLists()
	if err := line.Settings.validate(); err != nil {
		return Invocation{}, err
	}
	name, rest, _ := strings.Cut(ctx.Command(), " ") // the rest are its arguments
	line.Admin.Act, _, _ = strings.Cut(rest, " ")
	return Invocation{Command: Command(name), Config: line.Settings, Conform: line.Conform, Migrate: line.Migrate, Admin: line.Admin, Reindex: line.Reindex, Backup: line.Backup}, nil
}

// trimLists removes the blanks around commas, which people type and programs do not.
func (c *Config) trimLists() {
	for _, list := range []*[]string{&c.TrustedProxies, &c.AllowedOrigins, &c.AllowedHosts, &c.Administrators, &c.OutboundAllow} {
		for i := range *list {
			(*list)[i] = strings.TrimSpace((*list)[i])
		}
		*list = slices.DeleteFunc(*list, func(item string) bool { return item == "" })
	}
}
