// Package postgrestest starts a private PostgreSQL for tests: its own data
// folder, its own socket, every setting of durability on, gone afterwards. It
// knows nothing about what is stored there.
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
	// A busy machine takes its time.
	startTimeout = 2 * time.Minute
	stopTimeout  = time.Minute

	// memory is Linux's folder in memory, and room what must be free there: the tests
	// of a package fill up to a few gigabytes.
	memory = "/dev/shm"
	room   = 4 << 30
)

// ErrMissing is returned when PostgreSQL is neither installed nor installable.
var ErrMissing = errors.New("PostgreSQL is not installed: install Debian's package postgresql")

// Server is a running PostgreSQL. Database and Copy may be called concurrently;
// what stops and starts the server may not. Whoever started it calls Stop.
type Server struct {
	bin, dir string
	settings []string            // on the command line, as NAME=VALUE
	owner    *syscall.Credential // nil: the user of this process
	process  *exec.Cmd
	leash    io.WriteCloser // see run; nil while the server is down
	exited   chan struct{}
	stopped  []int // processes that Freeze holds
	made     atomic.Int64
}

// Start finds PostgreSQL, or installs Debian's when it may, and starts one. Its
// data is in memory where possible: there fsync, on which Fechatter insists,
// costs nothing, and Crash loses no more than it does on a disk.
func Start(ctx context.Context) (*Server, error) { return startIn(ctx, Folder()) }

// StartOnDisk is Start for measurements, with the data on a disk.
func StartOnDisk(ctx context.Context) (*Server, error) { return startIn(ctx, "") }

// Folder returns a folder in memory for databases of tests, or "" if there is
// none with room enough.
func Folder() string {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err != nil || fs.Bavail*uint64(fs.Bsize) < room {
		return ""
	}
	return memory
}

func startIn(ctx context.Context, folder string) (*Server, error) {
	bin, err := find(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, settings: []string{"listen_addresses=", "max_connections=300", "shared_buffers=64MB"}}
	if folder != "" {
		s.settings = append(s.settings, "max_wal_size=128MB") // there is less room
	}
	if s.owner, err = credential(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp(folder, "fechatter-postgres-"); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// find returns the folder of the newest initdb, of Debian's or the one on the path.
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
	n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // a folder whose name is not a number sorts first
	return n
}

// credential returns the user that the server runs as, since it refuses root.
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
	return nil, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
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
			return fmt.Errorf("change the folder's owner: %w", err)
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
	// The shell holds the server on a leash: a line tells it to stop the server, and
	// the end of the pipe without one, that this process is gone, whatever the way:
	// then nobody else will remove the data.
	script := `"$0" "$@" >>log 2>&1 & read -r _ || gone=1; kill -INT $! 2>/dev/null; wait $!; [ -z "$gone" ] || rm -rf "$PWD"`
	args := []string{"-c", script, filepath.Join(s.bin, "postgres"), "-D", "data", "-k", s.dir}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	s.process = s.command(context.WithoutCancel(ctx), "/bin/sh", args...)
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
		_ = process.Wait() // it was told to end: how it did is of no interest
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

// Database makes an empty database and returns its URL.
func (s *Server) Database(ctx context.Context) (string, error) { return s.create(ctx, "template0") }

// Copy makes a database with the content of another and returns its URL. Nobody
// may be connected to the other one meanwhile. A copy of an empty schema takes a
// fraction of the time of its migrations.
func (s *Server) Copy(ctx context.Context, databaseURL string) (string, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return "", fmt.Errorf("copy database: %w", err)
	}
	return s.create(ctx, strings.TrimPrefix(u.Path, "/"))
}

func (s *Server) create(ctx context.Context, template string) (string, error) {
	name := fmt.Sprintf("test%d", s.made.Add(1))
	if err := s.tool(ctx, "createdb", "-T", template, name); err != nil {
		return "", err
	}
	return "postgres://postgres@/" + name + "?host=" + url.QueryEscape(s.dir), nil
}

// Stop ends the server and deletes its data, which need not be written first: on
// a busy machine that would take longer than anybody waits.
func (s *Server) Stop() error {
	err := s.Crash()
	if err != nil {
		err = s.Halt() // it never got so far
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
