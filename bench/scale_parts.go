package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"fechatter/persistence/postgrestest"
)

// field is two nodes with what they share, each in processes of its own, so that what each uses can
// be told apart.
type field struct {
	nodes    []*server
	nats     *exec.Cmd
	monitor  string // of NATS
	postgres *postgrestest.Server
	folder   string // of PostgreSQL
	users    []*user
}

// openField starts everything, with the users of o on it.
func openField(ctx context.Context, o options) (_ *field, err error) {
	f := &field{}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if f.postgres, err = postgrestest.StartOnDisk(ctx); err != nil {
		return nil, err
	}
	database, err := f.postgres.Database(ctx)
	if err != nil {
		return nil, err
	}
	f.folder = postgresFolder(database)
	address, err := f.startNATS(ctx)
	if err != nil {
		return nil, err
	}
	for range 2 {
		node, err := startServer(ctx, o.program, "FECHATTER_DATABASE="+database, "FECHATTER_NATS=nats://"+address, "FECHATTER_LIMITS_SEND_BURST=0")
		if err != nil {
			return nil, err
		}
		f.nodes = append(f.nodes, node)
	}
	f.users, err = setUp(ctx, f.nodes[0].url, o)
	return f, err
}

// startNATS runs this program as a NATS server.
func (f *field) startNATS(ctx context.Context) (address string, err error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	if address, err = freeAddress(ctx); err != nil {
		return "", err
	}
	if f.monitor, err = freeAddress(ctx); err != nil {
		return "", err
	}
	f.nats = exec.CommandContext(ctx, program, "serve", "nats", address+","+f.monitor)
	f.nats.Stderr = os.Stderr
	if err := f.nats.Start(); err != nil {
		return "", err
	}
	for range 500 {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return address, conn.Close()
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return "", err
		}
	}
	return "", errors.New("nats-server does not listen")
}

func (f *field) close() error {
	var all []error
	for _, n := range f.nodes {
		all = append(all, n.stop())
	}
	if f.nats != nil && f.nats.Process != nil {
		_ = f.nats.Process.Kill()
		_ = f.nats.Wait() // killed
	}
	if f.postgres != nil {
		all = append(all, f.postgres.Stop())
	}
	return errors.Join(all...)
}

// usage returns what every part has used so far.
func (f *field) usage() (u usage, err error) {
	for _, n := range f.nodes {
		u.nodes = append(u.nodes, n.cpu())
	}
	u.nats = processTimes(f.nats.Process.Pid).own
	text, err := os.ReadFile(filepath.Join(f.folder, "data", "postmaster.pid"))
	if err != nil {
		return u, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	postmaster, err := strconv.Atoi(first)
	if err != nil {
		return u, err
	}
	u.postgres, err = withChildren(postmaster)
	return u, err
}

// during returns what is used while f runs, and for how long it did.
func (f *field) during(run func() error) (usage, time.Duration, error) {
	before, err := f.usage()
	if err != nil {
		return usage{}, 0, err
	}
	began := time.Now()
	if err := run(); err != nil {
		return usage{}, 0, err
	}
	after, err := f.usage()
	return after.since(before), time.Since(began), err
}

// times are what a process has used, and its children that have ended.
type times struct {
	parent     int
	own, ended time.Duration
}

// processTimes reads them; they are zero once the process is gone.
func processTimes(pid int) (t times) {
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return t
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // after the name, which may hold anything
	fields := strings.Fields(rest)
	figure := func(i int) time.Duration {
		n, _ := strconv.Atoi(fields[i]) // a number, by the kernel's word
		return time.Duration(n)
	}
	return times{parent: int(figure(1)), own: (figure(11) + figure(12)) * tick, ended: (figure(13) + figure(14)) * tick}
}

// withChildren is what a process and all its children have used, those that have ended included.
func withChildren(pid int) (time.Duration, error) {
	top := processTimes(pid)
	sum := top.own + top.ended
	all, err := filepath.Glob("/proc/[0-9]*")
	for _, folder := range all {
		child, _ := strconv.Atoi(filepath.Base(folder))
		if t := processTimes(child); t.parent == pid {
			sum += t.own + t.ended
		}
	}
	return sum, err
}

// natsBytes is what NATS has got from nodes so far.
func (f *field) natsBytes(ctx context.Context) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.monitor+"/varz", nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	var figures struct {
		InBytes float64 `json:"in_bytes"`
	}
	return figures.InBytes, json.NewDecoder(res.Body).Decode(&figures)
}

// serveNATS runs a NATS server and its monitor, whose addresses are parted by a comma, until ctx
// ends.
func serveNATS(ctx context.Context, addresses string) error {
	var o natsserver.Options
	address, monitor, _ := strings.Cut(addresses, ",")
	for at, into := range map[string]*int{address: &o.Port, monitor: &o.HTTPPort} {
		host, port, err := net.SplitHostPort(at)
		if err != nil {
			return err
		}
		if *into, err = strconv.Atoi(port); err != nil {
			return err
		}
		o.Host, o.HTTPHost = host, host
	}
	o.NoSigs, o.NoLog = true, true
	s, err := natsserver.NewServer(&o)
	if err != nil {
		return fmt.Errorf("make nats-server: %w", err)
	}
	s.Start()
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}
