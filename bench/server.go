package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is the program under measurement, in a folder of its own.
type server struct {
	url  string
	dir  string
	cmd  *exec.Cmd
	took time.Duration // from the start of the process until it was ready
}

// startServer starts the program without limits of what users may do.
func startServer(ctx context.Context, program string, env ...string) (*server, error) {
	unlimited := []string{"FECHATTER_LIMITS_SENDS_PER_SECOND=0", "FECHATTER_LIMITS_REQUESTS_PER_SECOND=0", "FECHATTER_LIMITS_PEOPLE_PER_MINUTE=0", "FECHATTER_LIMITS_CONNECTIONS_PER_USER=0",
		"FECHATTER_LIMITS_DELIVERIES_PER_SECOND=0", "FECHATTER_LIMITS_BYTES_PER_DAY=0",
		"FECHATTER_LIMITS_SIGNUPS_PER_IP_PER_MINUTE=0", "FECHATTER_LIMITS_LOGINS_PER_IP_PER_MINUTE=0"}
	return startBy(ctx, nil, program, append(unlimited, env...)...)
}

// startBy starts the program as the last argument of a command, or by itself, with its
// limits as they are by default.
func startBy(ctx context.Context, command []string, program string, env ...string) (*server, error) {
	program, err := filepath.Abs(program)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "fechatter-bench")
	if err != nil {
		return nil, err
	}
	listen, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	admin, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	line := append(slices.Clone(command), program)
	s := &server{url: "http://" + listen, dir: dir, cmd: exec.CommandContext(ctx, line[0], line[1:]...)}
	s.cmd.Dir, s.cmd.Stderr = dir, os.Stderr
	s.cmd.Env = append(os.Environ(), "FECHATTER_LISTEN="+listen, "FECHATTER_ADMIN_LISTEN="+admin, "FECHATTER_DRAIN_DELAY=0s",
		"FECHATTER_LOG_LEVEL=warn", "FECHATTER_REGISTRATION=open")
	s.cmd.Env = append(s.cmd.Env, env...)
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *server) start(ctx context.Context) error {
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.cmd.Path, err)
	}
	err := s.awaitReady(ctx)
	s.took = time.Since(began)
	return err
}

// restart starts a new process on the same data, without what setting up has left in the
// memory of the old one.
func (s *server) restart(ctx context.Context) error {
	s.kill()
	again := exec.CommandContext(ctx, s.cmd.Path, s.cmd.Args[1:]...)
	again.Dir, again.Stderr, again.Env = s.cmd.Dir, s.cmd.Stderr, s.cmd.Env
	s.cmd = again
	return s.start(ctx)
}

// kill is kill -9: nobody is there who would have to leave in order.
func (s *server) kill() {
	_ = s.cmd.Process.Signal(syscall.SIGKILL)
	_ = s.cmd.Wait() // killed
}

func (s *server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.ready(ctx) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the program is not ready: %w", ctx.Err())
		}
	}
}

func (s *server) ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func (s *server) stop() error {
	s.kill()
	return os.RemoveAll(s.dir)
}

// rss returns the resident memory in bytes.
func (s *server) rss() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("no VmRSS")
}

// cpu returns what the process has spent, user and system; 0 once it is gone.
func (s *server) cpu() time.Duration { return processTimes(s.cmd.Process.Pid).own }

func freeAddress(ctx context.Context) (string, error) {
	var listener net.ListenConfig
	l, err := listener.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}
