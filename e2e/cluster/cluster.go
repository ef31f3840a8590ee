package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"fechatter/e2e/proxy"
	"fechatter/persistence/postgrestest"
)

// Config says what to start.
type Config struct {
	Program    string // the built node
	First      string // what nodes run until Node.Use, if not Program
	NatsServer string // the built nats-server
	Nodes      int
	Buses      int    // NATS servers; several form a cluster of their own
	Seed       uint64 // of what the proxies draw by lot
	Dir        string // for files; the caller removes it
	Env        []string
}

// Cluster is everything that runs. Its methods are for one goroutine.
type Cluster struct {
	Postgres *postgrestest.Server
	Nodes    []*Node
	Nats     []*Nats

	cfg      Config
	front    *Front // or nil
	leash    *leash
	routes   []*proxy.Proxy
	database string // its name
	address  string // and where it is, past all proxies
}

// Start starts everything and waits until all nodes are ready. Whoever starts a
// cluster closes it.
func Start(ctx context.Context, cfg Config) (_ *Cluster, err error) {
	c := &Cluster{cfg: cfg}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if c.leash, err = newLeash(ctx); err != nil {
		return nil, err
	}
	if err := c.startPostgres(ctx); err != nil {
		return nil, err
	}
	if err := c.makeNats(); err != nil {
		return nil, err
	}
	for i := range cfg.Nodes {
		if err := c.makeNode(i); err != nil {
			return nil, err
		}
	}
	for _, n := range c.Nats {
		if err := n.Start(ctx); err != nil {
			return nil, err
		}
	}
	return c, c.startNodes(ctx)
}

// startNodes starts all nodes at once: one of them migrates the database.
func (c *Cluster) startNodes(ctx context.Context) error {
	var starting sync.WaitGroup
	errs := make([]error, len(c.Nodes))
	for i, n := range c.Nodes {
		starting.Go(func() { errs[i] = n.Start(ctx) })
	}
	starting.Wait()
	return errors.Join(errs...)
}

func (c *Cluster) startPostgres(ctx context.Context) error {
	var err error
	if c.Postgres, err = postgrestest.Start(ctx); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if c.address, err = c.Postgres.Database(ctx); err != nil {
		return err
	}
	parsed, err := url.Parse(c.address)
	if err != nil {
		return fmt.Errorf("read address of PostgreSQL: %w", err)
	}
	c.database = strings.TrimPrefix(parsed.Path, "/")
	return nil
}

// Query runs one statement in the nodes' database, past all proxies, and returns its
// rows as psql prints them.
func (c *Cluster) Query(ctx context.Context, statement string) ([]string, error) {
	return c.Postgres.Query(ctx, c.database, statement)
}

// Database is the name of the nodes' database.
func (c *Cluster) Database() string { return c.database }

// Command runs a subcommand of the program on the nodes' database, past all
// proxies, and waits for its end.
func (c *Cluster) Command(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, c.cfg.Program, args...)
	cmd.Dir, cmd.Env = c.cfg.Dir, append(os.Environ(), "FECHATTER_DATABASE="+c.address)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fechatter %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (c *Cluster) makeNats() error {
	for i := range c.cfg.Buses {
		dir := filepath.Join(c.cfg.Dir, "nats"+strconv.Itoa(i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		if c.cfg.Buses > 1 {
			p, err := proxy.Listen()
			if err != nil {
				return err
			}
			c.routes = append(c.routes, p)
		}
		c.Nats = append(c.Nats, &Nats{program: c.cfg.NatsServer, dir: dir, group: c.leash.group(), self: i, output: &Output{}})
	}
	for _, n := range c.Nats {
		n.routes = c.routes
	}
	return nil
}

func (c *Cluster) makeNode(number int) error {
	n := &Node{Name: "n" + strconv.Itoa(number), program: cmp.Or(c.cfg.First, c.cfg.Program), group: c.leash.group(), output: &Output{}}
	n.dir = filepath.Join(c.cfg.Dir, n.Name)
	if err := os.Mkdir(n.dir, 0o700); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	var publicErr, databaseErr error
	n.Public, publicErr = proxy.Listen()
	n.Database, databaseErr = proxy.Listen()
	if err := errors.Join(publicErr, databaseErr); err != nil {
		return err
	}
	n.Database.Target("unix", c.Postgres.Socket())
	var buses []string
	for i, server := range c.Nats {
		b, err := proxy.ListenBus(c.cfg.Seed + uint64(100*number+i))
		if err != nil {
			return err
		}
		n.Buses, server.fronts = append(n.Buses, b), append(server.fronts, b)
		buses = append(buses, "nats://"+NatsUser+":"+NatsPassword+"@"+b.Addr())
	}
	n.env = append(c.settings(), "FECHATTER_NATS="+strings.Join(buses, ","),
		"FECHATTER_DATABASE=postgres://postgres@"+n.Database.Addr()+"/"+c.database+"?sslmode=disable")
	c.Nodes = append(c.Nodes, n)
	return nil
}

// settings are the same for every node. They lift the limits that a load from one
// machine would meet.
func (c *Cluster) settings() []string {
	return append([]string{"FECHATTER_LISTEN=127.0.0.1:0", "FECHATTER_ADMIN_LISTEN=127.0.0.1:0",
		"FECHATTER_DRAIN_DELAY=0s", "FECHATTER_LOG_LEVEL=warn", "FECHATTER_REGISTRATION=open",
		"FECHATTER_LIMITS_SENDS_PER_SECOND=0", "FECHATTER_LIMITS_REQUESTS_PER_SECOND=0", "FECHATTER_LIMITS_PEOPLE_PER_MINUTE=0", "FECHATTER_LIMITS_SIGNUPS_PER_IP_PER_MINUTE=0",
		"FECHATTER_LIMITS_LOGINS_PER_IP_PER_MINUTE=0", "FECHATTER_LIMITS_CONNECTIONS_PER_USER=0",
		"FECHATTER_LIMITS_DELIVERIES_PER_SECOND=0", "FECHATTER_LIMITS_BYTES_PER_DAY=0"}, c.cfg.Env...)
}

// Close ends every process, suspended or not, and every proxy.
func (c *Cluster) Close() error {
	var errs []error
	for _, n := range c.Nodes {
		errs = append(errs, n.close())
	}
	for _, n := range c.Nats {
		errs = append(errs, n.close())
	}
	for _, r := range c.routes {
		r.Close()
	}
	if c.front != nil {
		errs = append(errs, c.front.process.kill())
	}
	if c.Postgres != nil {
		errs = append(errs, c.Postgres.Stop())
	}
	if c.leash != nil {
		errs = append(errs, c.leash.close())
	}
	return errors.Join(errs...)
}

// Heal lifts every fault of every edge.
func (c *Cluster) Heal() {
	for _, n := range c.Nodes {
		n.Public.Set(proxy.Fault{})
		n.Database.Set(proxy.Fault{})
		for _, b := range n.Buses {
			b.Set(proxy.Fault{})
			b.SetNoise(proxy.Noise{})
		}
	}
}

// eventually polls: another process has no channel to wait on.
func eventually(ctx context.Context, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
