package persistence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"
)

// side is one database of a transfer.
type side struct {
	d      dialect
	pools  *pools
	unlock func() // lets nodes start again; nil for a file, which is locked while it is open
}

func openSide(ctx context.Context, cfg Config) (*side, error) {
	cfg = cfg.withDefaults()
	cfg.application, cfg.StatementTimeout, cfg.Alone = transferApplication, noHurry, true
	d, p, err := openPools(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s := &side{d: d, pools: p}
	if err := s.keepOut(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// leaveTime is how long the connections of a node that has just stopped may take to end: its
// PostgreSQL processes notice on their own.
const leaveTime = 5 * time.Second

// keepOut makes nodes that start wait until the side is closed, and refuses a
// database that nodes go on using.
func (s *side) keepOut(ctx context.Context) (err error) {
	if s.pools.migrate == nil {
		return nil
	}
	if s.unlock, err = lockSchema(ctx, s.pools.migrate.db); err != nil {
		return err
	}
	for deadline := time.Now().Add(leaveTime); ; {
		nodes, err := s.nodes(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("look for nodes: %w", err)
		case nodes == 0:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("nodes are using this database over %d connections; stop them", nodes)
		}
		select {
		case <-time.After(leaveTime / 50):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// nodes returns how many connections nodes have to the database.
func (s *side) nodes(ctx context.Context) (n int, err error) {
	err = s.pools.migrate.db.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = $1`, nodeApplication).Scan(&n)
	return n, err
}

func (s *side) close() error {
	if s.unlock != nil {
		s.unlock()
	}
	return s.pools.close()
}

// read runs fn in a transaction that sees one snapshot, while nobody else writes: a node that
// comes back to its database during a transfer must not acknowledge what will be left behind.
func (s *side) read(ctx context.Context, fn func(*conn) error) error {
	c, err := s.pools.read.get(ctx)
	if err != nil {
		return err
	}
	defer s.pools.read.put(c)
	if err := c.begin(ctx, s.d.beginRead); err != nil {
		return err
	}
	defer c.rollback(ctx)
	if s.unlock != nil {
		locked := slices.DeleteFunc(transferTables(), func(table string) bool { return table == tableMeta }) // for the epoch
		if _, err := c.exec(ctx, "LOCK TABLE "+strings.Join(locked, ", ")+" IN SHARE MODE"); err != nil {
			return fmt.Errorf("lock tables: %w", err)
		}
	}
	return fn(c)
}

// write runs fn in one transaction, and commits if fn succeeds before ctx ends.
func (s *side) write(ctx context.Context, fn func(*conn) error) error {
	c, err := s.pools.write.get(ctx)
	if err != nil {
		return err
	}
	defer s.pools.write.put(c)
	if err := c.begin(ctx, s.d.beginWrite); err != nil {
		return err
	}
	if err := errors.Join(fn(c), ctx.Err()); err != nil {
		c.rollback(ctx)
		return err
	}
	if err := c.control(context.WithoutCancel(ctx), "COMMIT"); err != nil {
		c.rollback(ctx)
		return fmt.Errorf("commit, whose outcome is unknown: %w", err)
	}
	return nil
}

func (s *side) renewEpoch(ctx context.Context, epoch string) error {
	return s.write(ctx, func(c *conn) error {
		_, err := c.exec(ctx, "UPDATE meta SET value = $2 WHERE name = $1", metaEpoch, epoch)
		return err
	})
}

// openSource opens a database for reading. It must have this program's schema, since
// a transfer changes nothing in a source except its epoch.
func openSource(ctx context.Context, cfg Config, log *slog.Logger) (*side, error) {
	if path, isFile := strings.CutPrefix(cfg.URL, "sqlite:"); isFile {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no file %s", path)
		}
	}
	s, err := openSide(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.checkVersion(ctx, log); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// openTarget opens a database and creates its schema.
func openTarget(ctx context.Context, cfg Config, log *slog.Logger) (*side, error) {
	s, err := openSide(ctx, cfg)
	if err != nil {
		return nil, err
	}
	schema := s.pools.write
	if s.pools.migrate != nil {
		schema = s.pools.migrate
	}
	err = upgradeSchema(ctx, schema.db, s.d, log)
	if err == nil {
		err = s.checkVersion(ctx, log)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// checkVersion requires the newest schema that this program knows.
func (s *side) checkVersion(ctx context.Context, log *slog.Logger) error {
	return checkSchema(ctx, s.pools.read.db, s.d, log)
}
