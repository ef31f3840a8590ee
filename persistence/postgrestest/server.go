// Package postgrestest starts a private PostgreSQL for tests: its own data
// folder, its own socket, durable as in earnest, gone afterwards. It knows
// nothing of what is stored there.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 20 * time.Second
)

// ErrMissing says that PostgreSQL is not installed and could not be.
var ErrMissing = errors.New("there is no PostgreSQL: install Debian's package postgresql")

// Server is a running PostgreSQL. Database may be called concurrently; what stops
// and starts the server may not.
type Server struct {
	bin, dir string
	owner    *syscall.Credential // nil: the user of this process
	process  *exec.Cmd
	leash    io.Closer // the server stops when this is closed, or its holder dies
	exited   chan struct{}
	stopped  []int // processes that Freeze holds
	made     atomic.Int64
}

// Start finds PostgreSQL, or installs Debian's when it may, and starts one.
func Start(ctx context.Context) (*Server, error) {
	bin, err := find(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin}
	if s.owner, err = credential(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "fechatter-postgres-"); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// find gives the folder of the newest initdb, where Debian or the path has one.
func find(ctx context.Context) (string, error) {
	installed := func() string {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is well formed
		slices.SortFunc(found, func(a, b string) int { return major(a) - major(b) })
		if len(found) > 0 {
			return filepath.Dir(found[len(found)-1])
		}
		if path, err := exec.LookPath("initdb"); err == nil {
			return filepath.Dir(path)
		}
		return ""
	}
	if bin := installed(); bin != "" {
		return bin, nil
	}
	if os.Getuid() == 0 {
		install := exec.CommandContext(ctx, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql")
		if out, err := install.CombinedOutput(); err != nil {
			return "", fmt.Errorf("install PostgreSQL: %w: %s", err, out)
		}
	}
	if bin := installed(); bin != "" {
		return bin, nil
	}
	return "", ErrMissing
}

func major(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // a folder that is no number sorts first
	return n
}

// credential is whom the server runs as, for it refuses root.
func credential() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("read the ids of %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses root, and there is neither a user postgres nor nobody")
}

func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	return cmd
}

func (s *Server) start(ctx context.Context) error {
	if s.owner != nil {
		if err := os.Chown(s.dir, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
			return fmt.Errorf("give the folder away: %w", err)
		}
	}
	initdb := s.command(ctx, filepath.Join(s.bin, "initdb"), "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s.run(ctx)
}

// run starts the server on its folder and waits until it answers.
func (s *Server) run(ctx context.Context) error {
	// The shell holds the server on a leash: when this process goes away, however
	// it does, the pipe closes and the server is stopped.
	script := `"$0" "$@" >>log 2>&1 & read -r _; kill -INT $! 2>/dev/null; wait $!`
	s.process = s.command(context.WithoutCancel(ctx), "/bin/sh", "-c", script, filepath.Join(s.bin, "postgres"),
		"-D", "data", "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=300", "-c", "shared_buffers=64MB")
	leash, err := s.process.StdinPipe()
	if err != nil {
		return fmt.Errorf("make pipe: %w", err)
	}
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	process, exited := s.process, make(chan struct{})
	s.leash, s.exited = leash, exited
	go func() {
		_ = process.Wait() // how it ended says nothing: it was told to
		close(exited)
	}()
	return s.ready(ctx)
}

func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := s.command(ctx, filepath.Join(s.bin, "pg_isready"), "-q", "-h", s.dir).Run()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "log")) // it only explains the error
			return fmt.Errorf("postgres does not answer: %w: %s", err, log)
		}
	}
}

// Database makes an empty database and gives its URL.
func (s *Server) Database(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test%d", s.made.Add(1))
	out, err := s.command(ctx, filepath.Join(s.bin, "createdb"), "-h", s.dir, "-U", "postgres", name).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("createdb: %w: %s", err, out)
	}
	return "postgres://postgres@/" + name + "?host=" + url.QueryEscape(s.dir), nil
}

// Stop ends the server and deletes its data, which therefore need not be written
// first: on a busy machine that takes longer than anybody waits.
func (s *Server) Stop() error {
	err := s.Crash()
	if err != nil {
		err = s.Halt() // it never got so far
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
