package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"fechatter/e2e/proxy"
	"fechatter/persistence/postgrestest"
)

// Config says what to start.
type Config struct {
	Program    string // the built node
	NatsServer string // the built nats-server
	Nodes      int
	Buses      int    // NATS servers; several form a cluster of their own
	Seed       uint64 // of what the proxies draw
	Dir        string // for files; the caller deletes it
	Env        []string
}

// Cluster is everything that runs. Its methods are for one goroutine.
type Cluster struct {
	Postgres *postgrestest.Server
	Nodes    []*Node
	Nats     []*Nats

	cfg      Config
	front    *Front // nil: none
	leash    *leash
	routes   []*proxy.Proxy
	database string // its name
	address  string // and where it is, past all proxies
}

// Start starts everything and waits until all nodes are ready. Whoever started a
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
	for _, n := range c.Nodes {
		if err := n.Start(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
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

// Query runs one statement in the nodes' database, past all proxies, and gives
// its rows as psql prints them.
func (c *Cluster) Query(ctx context.Context, statement string) ([]string, error) {
	return c.Postgres.Query(ctx, c.database, statement)
}

// Database is the name of the nodes' database.
func (c *Cluster) Database() string { return c.database }

// Command runs a subcommand of the program on the nodes' database, past all
// proxies, and waits for its end.
func (c *Cluster) Command(ctx context.Context, name string) error {
	cmd := exec.CommandContext(ctx, c.cfg.Program, name)
	cmd.Dir, cmd.Env = c.cfg.Dir, append(os.Environ(), "FECHATTER_DATABASE="+c.address)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fechatter %s: %w: %s", name, err, out)
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
		c.Nats = append(c.Nats, &Nats{program: c.cfg.NatsServer, dir: dir, group: c.leash.group(), self: i, output: &output{}})
	}
	for _, n := range c.Nats {
		n.routes = c.routes
	}
	return nil
}

func (c *Cluster) makeNode(number int) error {
	n := &Node{Name: "n" + strconv.Itoa(number), program: c.cfg.Program, group: c.leash.group(), output: &output{}}
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
		buses = append(buses, "nats://"+b.Addr())
	}
	n.env = append(c.settings(), "FECHATTER_NATS="+strings.Join(buses, ","),
		"FECHATTER_DATABASE=postgres://postgres@"+n.Database.Addr()+"/"+c.database+"?sslmode=disable")
	c.Nodes = append(c.Nodes, n)
	return nil
}

// settings are the same for every node: limits do not stand in the way of a load
// from one machine.
func (c *Cluster) settings() []string {
	return append([]string{"FECHATTER_LISTEN=127.0.0.1:0", "FECHATTER_ADMIN_LISTEN=127.0.0.1:0",
		"FECHATTER_DRAIN_DELAY=0s", "FECHATTER_LOG_LEVEL=warn",
		"FECHATTER_LIMITS_SENDS_PER_SECOND=0", "FECHATTER_LIMITS_REQUESTS_PER_SECOND=0", "FECHATTER_LIMITS_SIGNUPS_PER_IP_PER_MINUTE=0",
		"FECHATTER_LIMITS_LOGINS_PER_IP_PER_MINUTE=0", "FECHATTER_LIMITS_CONNECTIONS_PER_USER=0"}, c.cfg.Env...)
}

// Close ends every process, frozen ones too, and every proxy.
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

// eventually polls, for another process has no channel to wait on.
func eventually(ctx context.Context, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
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
