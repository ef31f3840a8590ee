package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Socket is the path on which the server listens.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL.5432") }

// Halt stops the server in good order and keeps its data for Resume.
func (s *Server) Halt() error {
	if s.leash == nil {
		return nil
	}
	return errors.Join(s.Thaw(), s.letGo())
}

// Crash ends the server at once, as a loss of power would: every connection
// breaks, and Resume recovers from the log.
func (s *Server) Crash() error {
	if s.leash == nil {
		return nil
	}
	pid, err := s.postmaster()
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		return fmt.Errorf("crash postgres: %w", err)
	}
	return errors.Join(s.Thaw(), s.letGo())
}

// letGo stops the server, if it still runs, and waits for its end.
func (s *Server) letGo() error {
	_, err := io.WriteString(s.leash, "\n")
	err = errors.Join(err, s.leash.Close())
	s.leash = nil
	select {
	case <-s.exited:
		return err
	case <-time.After(stopTimeout):
		return errors.Join(err, errors.New("postgres does not stop"), s.process.Process.Kill())
	}
}

// Resume starts the server again after Halt or Crash; one that runs goes on.
func (s *Server) Resume(ctx context.Context) error {
	if s.leash != nil {
		return nil
	}
	return s.run(ctx)
}

// Promote starts the server after Halt or Crash as a standby that then takes
// over: from there on its history continues on a timeline of its own.
func (s *Server) Promote(ctx context.Context) error {
	if out, err := s.command(ctx, "touch", "data/standby.signal").CombinedOutput(); err != nil {
		return fmt.Errorf("make standby: %w: %s", err, out)
	}
	if err := s.run(ctx); err != nil {
		return err
	}
	_, err := s.Query(ctx, "postgres", "SELECT pg_promote(true, 30)")
	return err
}

// Freeze stops every process of the server where it stands: connections stay open
// and nothing answers. Thaw lets them go on.
func (s *Server) Freeze() error {
	pid, err := s.postmaster()
	if err != nil {
		return err
	}
	// The parent comes first: then it makes no more children.
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("freeze postgres: %w", err)
	}
	s.stopped = append(s.stopped, pid)
	children, err := childrenOf(pid)
	for _, child := range children {
		if syscall.Kill(child, syscall.SIGSTOP) == nil { // else it has ended
			s.stopped = append(s.stopped, child)
		}
	}
	return err
}

// Thaw ends Freeze. Without one it does nothing.
func (s *Server) Thaw() error {
	var err error
	for _, pid := range s.stopped {
		if e := syscall.Kill(pid, syscall.SIGCONT); !errors.Is(e, syscall.ESRCH) {
			err = errors.Join(err, e)
		}
	}
	s.stopped = nil
	return err
}

func (s *Server) postmaster() (int, error) {
	data, err := os.ReadFile(filepath.Join(s.dir, "data", "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("read pid: %w", err)
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	pid, err := strconv.Atoi(string(bytes.TrimSpace(first)))
	if err != nil {
		return 0, fmt.Errorf("read pid: %w", err)
	}
	return pid, nil
}

func childrenOf(parent int) (pids []int, err error) {
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	for _, path := range found {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state parent …, and the name may hold anything.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, err := strconv.Atoi(strings.Split(path, "/")[2])
			if err != nil {
				return nil, err
			}
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// Query runs one statement in a database that Database made and returns its rows,
// one per line, as psql prints them without decoration.
func (s *Server) Query(ctx context.Context, database, statement string) ([]string, error) {
	cmd := s.command(ctx, filepath.Join(s.bin, "psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1",
		"-h", s.dir, "-U", "postgres", "-d", database, "-c", statement)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("psql: %w: %s", err, problem.Bytes())
	}
	text := strings.TrimSuffix(out.String(), "\n")
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, "\n"), nil
}

// Keep copies the data of a halted server aside, replacing the copy made before.
func (s *Server) Keep(ctx context.Context) error { return s.copyData(ctx, "data", "kept") }

// GoBack replaces the data of a halted server by what Keep copied.
func (s *Server) GoBack(ctx context.Context) error { return s.copyData(ctx, "kept", "data") }

func (s *Server) copyData(ctx context.Context, from, to string) error {
	if s.leash != nil {
		return errors.New("the server is running: halt it first")
	}
	if err := os.RemoveAll(filepath.Join(s.dir, to)); err != nil {
		return fmt.Errorf("copy data: %w", err)
	}
	if out, err := s.command(ctx, "cp", "-a", from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy data: %w: %s", err, out)
	}
	return nil
}

// Dump writes a backup of a database, as an operator would, while it is in use. It
// is kept under a name until Stop.
func (s *Server) Dump(ctx context.Context, database, name string) error {
	return s.tool(ctx, "pg_dump", "-Fc", "-f", name+".dump", database)
}

// Restore replaces a database that nobody uses by a backup.
func (s *Server) Restore(ctx context.Context, database, name string) error {
	if err := s.tool(ctx, "dropdb", database); err != nil {
		return err
	}
	if err := s.tool(ctx, "createdb", database); err != nil {
		return err
	}
	return s.tool(ctx, "pg_restore", "-d", database, name+".dump")
}

func (s *Server) tool(ctx context.Context, name string, args ...string) error {
	cmd := s.command(ctx, filepath.Join(s.bin, name), append([]string{"-h", s.dir, "-U", "postgres"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}
