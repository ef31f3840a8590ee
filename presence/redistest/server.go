// Package redistest starts a private Redis for tests, with a port of its own and
// nothing on disk. It can be killed, restarted empty and frozen, and its clock
// moved. Of what is stored there, the package knows only that times are numbers.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

const (
	startTimeout = time.Minute
	startTries   = 3 // another process may take the port first
)

// Server is a running Redis. Its methods are for one goroutine at a time.
type Server struct {
	bin, dir, address string
	settings          []string
	process           *exec.Cmd
	leash             io.Closer // the server is killed when this is closed, or its holder dies
	exited            chan struct{}
	pid               int
}

// Start finds redis-server, or installs Debian's as root, and starts one with
// further settings, as on its command line.
func Start(ctx context.Context, settings ...string) (*Server, error) {
	bin, err := find(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, settings: settings}
	if s.dir, err = os.MkdirTemp("", "fechatter-redis-"); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	for range startTries {
		if s.address, err = freeAddress(ctx); err == nil {
			err = s.Restart(ctx)
		}
		if err == nil {
			return s, nil
		}
	}
	return nil, errors.Join(err, os.RemoveAll(s.dir))
}

func find(ctx context.Context) (string, error) {
	bin, err := exec.LookPath("redis-server")
	if err == nil {
		return bin, nil
	}
	if os.Getuid() == 0 {
		install := exec.CommandContext(ctx, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "redis-server")
		if out, err := install.CombinedOutput(); err != nil {
			return "", fmt.Errorf("install Redis: %w: %s", err, out)
		}
	}
	if bin, err = exec.LookPath("redis-server"); err != nil {
		return "", errors.New("no Redis: install Debian's package redis-server")
	}
	return bin, nil
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// URL is the presence setting for this server.
func (s *Server) URL() string { return "redis://" + s.address }

// Address is the server's host and port.
func (s *Server) Address() string { return s.address }

// Restart starts the server, empty, at its old address. It must not be running.
func (s *Server) Restart(ctx context.Context) error {
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return fmt.Errorf("read address: %w", err)
	}
	pidFile := filepath.Join(s.dir, "pid")
	if err := os.RemoveAll(pidFile); err != nil {
		return fmt.Errorf("remove old pid: %w", err)
	}
	// The shell holds the server on a leash: when this process ends, in whatever
	// way, the pipe closes and the server is killed.
	script := `"$0" "$@" >log 2>&1 & echo $! >pid.new && mv pid.new pid; read -r _; kill -KILL $! 2>/dev/null; wait $!`
	args := append([]string{"-c", script, s.bin, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		"--dir", s.dir}, s.settings...)
	s.process = exec.CommandContext(context.WithoutCancel(ctx), "/bin/sh", args...)
	s.process.Dir = s.dir
	leash, err := s.process.StdinPipe()
	if err != nil {
		return fmt.Errorf("make pipe: %w", err)
	}
	s.leash, s.exited = leash, make(chan struct{})
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("start Redis: %w", err)
	}
	go func(p *exec.Cmd, exited chan struct{}) {
		_ = p.Wait() // the status means nothing: it was killed
		close(exited)
	}(s.process, s.exited)
	if err := s.ready(ctx, pidFile); err != nil {
		return errors.Join(err, s.Kill())
	}
	return nil
}

// ready waits until the server answers, and verifies that it is this one.
func (s *Server) ready(ctx context.Context, pidFile string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := s.answers(ctx, pidFile)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "log")) // only explains the error
			return fmt.Errorf("no answer from Redis: %w: %s", err, log)
		}
	}
}

func (s *Server) answers(ctx context.Context, pidFile string) error {
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return err
	}
	if s.pid, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		return err
	}
	return s.do(func(c *redis.Client) error {
		info, err := c.Info(ctx, "server").Result()
		if err == nil && !strings.Contains(info, fmt.Sprintf("process_id:%d\r\n", s.pid)) {
			err = errors.New("another server answers")
		}
		return err
	})
}

// do runs f with a client of its own.
func (s *Server) do(f func(*redis.Client) error) error {
	logging.Disable() // its log repeats the errors
	c := redis.NewClient(&redis.Options{Addr: s.address, MaxRetries: -1, DialerRetries: 1})
	return errors.Join(f(c), c.Close())
}

// Kill ends the server at once, and what it held is lost. It does nothing if the
// server has ended.
func (s *Server) Kill() error {
	select {
	case <-s.exited:
		return nil
	default:
	}
	err := s.leash.Close()
	select {
	case <-s.exited:
		return err
	case <-time.After(startTimeout):
		return errors.Join(err, errors.New("a killed Redis is still running"), s.process.Process.Kill())
	}
}

// Freeze suspends the server in the middle of whatever it does, until Thaw.
func (s *Server) Freeze() error { return syscall.Kill(s.pid, syscall.SIGSTOP) }

// Thaw ends Freeze.
func (s *Server) Thaw() error { return syscall.Kill(s.pid, syscall.SIGCONT) }

// Stop ends the server and deletes its folder.
func (s *Server) Stop() error {
	return errors.Join(s.Kill(), os.RemoveAll(s.dir))
}

// Info returns a section of the server's INFO.
func (s *Server) Info(ctx context.Context, section string) (info string, err error) {
	err = s.do(func(c *redis.Client) error {
		info, err = c.Info(ctx, section).Result()
		return err
	})
	return info, err
}

// Do runs a command.
func (s *Server) Do(ctx context.Context, args ...any) error {
	return s.do(func(c *redis.Client) error { return c.Do(ctx, args...).Err() })
}

// Empty makes the running server forget every key.
func (s *Server) Empty(ctx context.Context) error {
	return s.do(func(c *redis.Client) error { return c.FlushAll(ctx).Err() })
}
