package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"

	"fechatter/chat"
	"fechatter/door"
	"fechatter/files"
	"fechatter/hub"
	"fechatter/indexer"
	"fechatter/jobs"
	"fechatter/password"
	"fechatter/presence"
	"fechatter/security"
	"fechatter/server"
	"fechatter/signin"
	"fechatter/timeline"
	"fechatter/tracing"
	"fechatter/web"

	"github.com/google/uuid"
)

const defaultAdminListen = "127.0.0.1:9090"

// Node is one running program: all parts, wired together.
type Node struct {
	config   Config
	log      *slog.Logger
	parts    *adapters
	hub      *hub.Hub
	chat     *chat.Service
	server   *server.Server
	health   *health
	presence *presence.Tracker
	jobs     *jobs.Runner
	indexer  *indexer.Indexer
	desk     *searchDesk
	library  *files.Library
	uploads  *files.Uploads
	metrics  *metrics
	tracer   *tracing.Tracer // nil: nothing is followed
	followed followed
	security *security.Log
	book     *timeline.Book
	tokens   *signin.Tokens // of applications; nil: none are believed
	public   net.Listener
	admin    net.Listener // nil: none
	plain    net.Listener // redirects to public; nil: none
	door     *door.Door   // of public

	certificates certificates                    // of public; nil: plain HTTP
	challenges   func(http.Handler) http.Handler // answers an authority on plain; nil: there is none
	tuning       acmeTuning
}

// Run opens a node, prints its address on out, and runs it until ctx ends, which is not
// an error even during the start. The log goes to errOut.
func Run(ctx context.Context, c Config, version string, out, errOut io.Writer) error {
	if os.Getenv("GOGC") == "" {
		// Idle connections are most of a node's memory and create no garbage: less
		// headroom than usual saves more than the collections cost.
		debug.SetGCPercent(40)
	}
	log := newLog(c, errOut)
	defer writeLeftOut(log)
	n, err := Open(ctx, c, version, log)
	if err != nil && ctx.Err() != nil {
		log.Info("stopped during the start")
		return nil //nolint:nilerr // stopping on request is no failure
	}
	if err != nil {
		return err
	}
	warnOfPlainHTTP(c, n.log)
	if _, built := web.Files(); !built {
		n.log.Warn("the page is not built; run make build")
	}
	if err := n.greet(ctx, version, out); err != nil {
		return errors.Join(err, n.close())
	}
	return n.Run(ctx)
}

// Open opens the database, creates or migrates its schema, wires the parts and listens
// on the addresses. The caller must run the node, once.
func Open(ctx context.Context, c Config, version string, log *slog.Logger) (*Node, error) {
	return open(ctx, c, version, log, tuned())
}

func open(ctx context.Context, c Config, version string, log *slog.Logger, tuning acmeTuning) (_ *Node, err error) {
	n := &Node{config: c, log: log, metrics: newMetrics(version), tuning: tuning}
	n.security = security.New(log, n.metrics.secured)
	defer func() {
		if err != nil {
			_ = n.close() // the first error is the one to report
		}
	}()
	id := newID()
	if err := n.openTracer(ctx, id, version); err != nil {
		return nil, err
	}
	n.book = timeline.New(id)
	r := &relay{log: log, tracer: n.tracer, followed: &n.followed, book: n.book}
	if n.parts, err = openAdapters(ctx, c, id, r, newID, log, n.security); err != nil {
		return nil, err
	}
	n.hub = hub.New(n.observedHub(), r, n.parts.bus, log.With("part", "hub"))
	n.indexer = indexer.New(n.observedIndexer(id), n.parts.engine, n.parts.store, log.With("part", "index"))
	n.desk = newSearchDesk(n.indexer, log.With("part", "index"))
	r.hub, r.index, r.events = n.hub, n.indexer, n.parts.store
	if n.tokens, err = openTokens(c); err != nil {
		return nil, err
	}
	sender, err := openMail(c)
	if err != nil {
		return nil, err
	}
	n.chat = n.openChat(c, sender != nil)
	if err := n.appoint(ctx); err != nil {
		return nil, err
	}
	n.presence = presence.New(presence.Config{AwayAfter: c.AwayAfter}, n.parts.leases, n.chat, announcer{n.parts.bus, log}, log.With("part", "presence"))
	n.jobs = jobs.New(n.parts.store, n.callHelp(), log.With("part", "jobs"), append(n.letters(sender), n.departures())...)
	n.parts.store.ObserveJobs(n.jobs.Put)
	n.health = newHealth(id, n.parts.name, n.parts.store, n.parts.bus, n.disk(), log)
	if n.parts.redis != nil {
		n.health.redis = n.parts.redis
	}
	n.health.search = &searchProbe{engine: engineName(c), index: n.indexer, outbox: n.parts.store}
	n.health.jobs = n.jobs.Stats
	if err := n.openServer(ctx, version); err != nil {
		return nil, err
	}
	n.hub.Listen(n.server)
	n.parts.store.Observe(n.committed)
	n.metrics.registry.MustRegister(n.collectors()...)
	if err := n.listen(ctx); err != nil {
		return nil, err
	}
	n.watchCertificate()
	return n, nil
}

// openServer makes what answers requests, and the door before it.
func (n *Node) openServer(ctx context.Context, version string) error {
	c, log := n.config, n.log
	providers, err := openProviders(c, newOutbound(c).client())
	if err != nil {
		return err
	}
	sockets, err := openDoor(ctx, c, log)
	if err != nil {
		return err
	}
	if err := n.openFiles(ctx); err != nil {
		return err
	}
	n.door = door.New(sockets)
	deps := server.Deps{
		Chat: n.chat, Search: chat.NewSearch(n.parts.store, n.indexer), Hub: n.hub, Presence: here{n.presence}, Page: web.Handler(), Health: n.health, Providers: providers, Log: log, Security: n.security, Observer: n.metrics, Tracer: n.sendTracer(), Timeline: n.timelines(), Pressure: n.pressure,
	}
	if n.library != nil {
		deps.Files, deps.Uploads = n.library, n.uploads
	}
	n.server, err = server.New(serverConfig(c, version, sockets), deps)
	return err
}

func (n *Node) openChat(c Config, mails bool) *chat.Service {
	s := chat.NewService(n.parts.store, password.New(runtime.GOMAXPROCS(0)), newID, n.parts.store.Secret(), chatLimits(c)).
		WithAdministrators(c.Administrators).WithAdmission(admission(c)).WithSignIn(signInRules(c))
	if c.Bots == "everyone" {
		s = s.WithBotsByEveryone()
	}
	if n.tokens != nil {
		s = s.WithTokens(n.tokens)
	}
	if mails {
		return s.WithMail()
	}
	return s
}

// appoint makes those whom the settings name administrators.
func (n *Node) appoint(ctx context.Context) error {
	appointed, passedOver, err := n.chat.AppointNamed(ctx)
	for _, a := range appointed {
		n.security.Note(security.Entry{Event: security.Appointed, User: security.Operator, Subject: a.ID})
	}
	for _, name := range passedOver {
		n.log.Warn("administrators names somebody who did not exist when first named, and makes nobody one by that; "+
			"once you know whose the name is: fechatter admin grant NAME", "name", name)
	}
	if err != nil {
		return fmt.Errorf("administrators: %w", err)
	}
	return nil
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// disk returns a probe of the file systems on which this node keeps anything: the
// database, and the search index when it is this node's to keep. It is nil if there are none.
func (n *Node) disk() func() (diskSpace, error) {
	var places []string
	if scheme(n.config.Database) == "sqlite" {
		places = append(places, sqliteFile(n.config.Database)) // the file: it may be a link to another disk
	}
	if scheme(n.config.Search) == "bleve" {
		places = append(places, searchFolder(n.config.Search))
	}
	if len(places) == 0 {
		return nil
	}
	return func() (diskSpace, error) { return leastSpace(places) }
}

func (n *Node) listen(ctx context.Context) (err error) {
	var listener net.ListenConfig
	if n.public, err = listener.Listen(ctx, "tcp", n.config.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if err = n.openTLS(ctx); err != nil {
		return err
	}
	if n.config.AdminListen == "" {
		return nil
	}
	n.admin, err = listener.Listen(ctx, "tcp", n.config.AdminListen)
	if err != nil && n.config.AdminListen == defaultAdminListen {
		// Nobody asked for this address: a second node on one machine needs to change
		// only listen.
		n.log.Warn("no admin listener: its address is in use", "admin_listen", n.config.AdminListen)
		return nil
	}
	if err != nil {
		return fmt.Errorf("admin_listen: %w", err)
	}
	return nil
}

// URL returns the address for browsers.
func (n *Node) URL() string {
	if n.config.PublicURL != "" {
		return n.config.PublicURL
	}
	return "http://" + reachable(n.public.Addr().String())
}

// Chat returns the node's use cases, for code that bypasses its listeners.
func (n *Node) Chat() *chat.Service { return n.chat }

// Run starts the parts in the order of the list and, when ctx ends, stops them in
// reverse: clients leave first, then what served them stops, and the store commits
// what it has accepted before it is closed.
func (n *Node) Run(ctx context.Context) error {
	parts := []part{
		{"security log", n.security.Run},
		{"store", n.parts.store.Run},
		{"bus", func(ctx context.Context) error {
			return n.parts.bus.Run(ctx, busNode{n.hub, n.presence, n.jobs, n.desk, n.timelines(), n.log})
		}},
		{"jobs", n.jobs.Run},
		{"index", n.indexer.Run},
		{"search for other nodes", n.desk.Run},
		{"presence", n.presence.Run},
		{"retention", n.keepRetention},
		{"deletion", n.keepDeletion},
		{"server", n.server.Run},
		{"hub", n.hub.Run},
		{"health", n.health.Run},
		{"memory", keepMemory},
	}
	if n.library != nil {
		parts = append(parts, part{"files", n.keepFiles})
	}
	if n.tokens != nil {
		parts = append(parts, part{"keys of applications", n.tokens.Run})
	}
	if n.tracer != nil {
		parts = slices.Insert(parts, 0, part{"tracing", n.tracer.Run})
	}
	if n.admin != nil {
		parts = append(parts, part{"admin", func(ctx context.Context) error {
			return serveAdmin(ctx, n.admin, adminHandler(n.config, n.metrics.handler(), n.server.Probes()), n.log)
		}})
	}
	parts = append(parts, n.tlsParts()...)
	parts = append(parts, part{"http", func(ctx context.Context) error { return n.servePublic(ctx, n.public) }})
	err := runParts(ctx, n.log, parts)
	return errors.Join(err, n.close())
}

// close releases what Open acquired. HTTP servers that ran have closed their listeners;
// closing them again does no harm.
func (n *Node) close() error {
	for _, l := range []net.Listener{n.public, n.admin, n.plain} {
		if l != nil {
			_ = l.Close()
		}
	}
	if n.certificates != nil {
		n.certificates.Close()
	}
	if n.parts == nil {
		return nil
	}
	return n.parts.close()
}
