package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"slices"

	"fechatter/chat"
	"fechatter/hub"
	"fechatter/indexer"
	"fechatter/password"
	"fechatter/presence"
	"fechatter/server"
	"fechatter/timeline"
	"fechatter/tracing"
	"fechatter/web"

	"github.com/google/uuid"
)

const defaultAdminListen = "127.0.0.1:9090"

// Node is one running program: every part, wired.
type Node struct {
	config   Config
	log      *slog.Logger
	parts    *adapters
	hub      *hub.Hub
	chat     *chat.Service
	server   *server.Server
	health   *health
	presence *presence.Tracker
	indexer  *indexer.Indexer
	desk     *searchDesk
	metrics  *metrics
	tracer   *tracing.Tracer // nil: nothing is followed
	followed followed
	book     *timeline.Book
	public   net.Listener
	admin    net.Listener // nil: none
}

// Run opens a node, says on out where it is to be found, and runs it until ctx
// ends; that it ends during the start is no error. Its log goes to errOut.
func Run(ctx context.Context, c Config, version string, out, errOut io.Writer) error {
	if os.Getenv("GOGC") == "" {
		// Idle connections are most of a node's memory and make no garbage:
		// less than the usual headroom saves more than the collections cost.
		debug.SetGCPercent(40)
	}
	log := newLog(c, errOut)
	n, err := Open(ctx, c, version, log)
	if err != nil && ctx.Err() != nil {
		log.Info("stopped before it had started")
		return nil //nolint:nilerr // as it was asked to: no failure
	}
	if err != nil {
		return err
	}
	if _, built := web.Files(); !built {
		n.log.Warn("the page is not built: run make build")
	}
	if _, err := fmt.Fprintf(out, "Fechatter %s is at %s\n", version, n.URL()); err != nil {
		return errors.Join(err, n.close())
	}
	return n.Run(ctx)
}

// Open opens the database, creates or migrates its schema, wires the parts and
// takes the addresses. Whoever opened a node runs it, once.
func Open(ctx context.Context, c Config, version string, log *slog.Logger) (_ *Node, err error) {
	n := &Node{config: c, log: log, metrics: newMetrics(version)}
	defer func() {
		if err != nil {
			_ = n.close() // the first error is the one to tell
		}
	}()
	id := newID()
	if err := n.openTracer(ctx, id, version); err != nil {
		return nil, err
	}
	n.book = timeline.New(id)
	r := &relay{log: log, tracer: n.tracer, followed: &n.followed, book: n.book}
	if n.parts, err = openAdapters(ctx, c, id, r, newID, log); err != nil {
		return nil, err
	}
	n.hub = hub.New(n.observedHub(), r, n.parts.bus, log.With("part", "hub"))
	n.indexer = indexer.New(n.observedIndexer(id), n.parts.engine, n.parts.store, log.With("part", "index"))
	n.desk = newSearchDesk(n.indexer, log.With("part", "index"))
	r.hub, r.index, r.events = n.hub, n.indexer, n.parts.store
	n.chat = chat.NewService(n.parts.store, password.New(runtime.GOMAXPROCS(0)), newID, n.parts.store.Secret(), chatLimits(c)).
		WithAdministrators(c.Administrators)
	if err := n.chat.AppointNamed(ctx); err != nil {
		return nil, fmt.Errorf("administrators: %w", err)
	}
	n.presence = presence.New(presence.Config{AwayAfter: c.AwayAfter}, n.parts.leases, n.chat, announcer{n.parts.bus, log}, log.With("part", "presence"))
	n.health = newHealth(id, n.parts.name, canaryRow{n.parts.store}, n.parts.bus, n.disk(), log)
	if n.parts.redis != nil {
		n.health.redis = n.parts.redis
	}
	n.health.search = &searchProbe{engine: engineName(c), index: n.indexer, outbox: n.parts.store}
	n.server, err = server.New(serverConfig(c, version), server.Deps{
		Chat: n.chat, Search: chat.NewSearch(n.parts.store, n.indexer), Hub: n.hub, Presence: here{n.presence}, Page: web.Handler(), Health: n.health, Log: log, Observer: n.metrics, Tracer: n.sendTracer(), Timeline: n.timelines(), Pressure: n.pressure,
	})
	if err != nil {
		return nil, err
	}
	n.hub.Listen(n.server)
	n.parts.store.Observe(n.committed)
	n.metrics.registry.MustRegister(n.collectors()...)
	return n, n.listen(ctx)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// disk is a look at the file system that holds the data, nil when it is elsewhere.
func (n *Node) disk() func() (diskSpace, error) {
	if n.parts.dir == "" {
		return nil
	}
	return spaceOf(n.parts.dir)
}

func (n *Node) listen(ctx context.Context) (err error) {
	var listener net.ListenConfig
	if n.public, err = listener.Listen(ctx, "tcp", n.config.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if n.config.AdminListen == "" {
		return nil
	}
	n.admin, err = listener.Listen(ctx, "tcp", n.config.AdminListen)
	if err != nil && n.config.AdminListen == defaultAdminListen {
		// Nobody asked for this address: a second node on one machine needs
		// nothing but another listen.
		n.log.Warn("no admin listener: its address is taken", "admin_listen", n.config.AdminListen)
		return nil
	}
	if err != nil {
		return fmt.Errorf("admin_listen: %w", err)
	}
	return nil
}

// URL is where browsers find the node.
func (n *Node) URL() string {
	if n.config.PublicURL != "" {
		return n.config.PublicURL
	}
	return "http://" + n.public.Addr().String()
}

// Chat is the node's use cases, for what works beside its listeners.
func (n *Node) Chat() *chat.Service { return n.chat }

// Run starts the parts in the order of the list and, when ctx ends, stops them
// in reverse: first the clients leave, then what served them ends, and the store
// commits what it had accepted before it is closed.
func (n *Node) Run(ctx context.Context) error {
	parts := []part{
		{"store", n.parts.store.Run},
		{"bus", func(ctx context.Context) error {
			return n.parts.bus.Run(ctx, busNode{n.hub, n.presence, n.desk, n.timelines(), n.log})
		}},
		{"index", n.indexer.Run},
		{"search for other nodes", n.desk.Run},
		{"presence", n.presence.Run},
		{"retention", n.keepRetention},
		{"server", n.server.Run},
		{"hub", n.hub.Run},
		{"health", n.health.Run},
		{"memory", keepMemory},
	}
	if n.tracer != nil {
		parts = slices.Insert(parts, 0, part{"tracing", n.tracer.Run})
	}
	if n.admin != nil {
		parts = append(parts, part{"admin", func(ctx context.Context) error {
			return serveAdmin(ctx, n.admin, adminHandler(n.metrics.handler()), n.log)
		}})
	}
	parts = append(parts, part{"http", func(ctx context.Context) error { return n.servePublic(ctx, n.public) }})
	err := runParts(ctx, n.log, parts)
	return errors.Join(err, n.close())
}

// close gives back what Open took. The HTTP servers have closed their listeners
// if they ran; closing twice does no harm.
func (n *Node) close() error {
	for _, l := range []net.Listener{n.public, n.admin} {
		if l != nil {
			_ = l.Close()
		}
	}
	if n.parts == nil {
		return nil
	}
	return n.parts.close()
}
