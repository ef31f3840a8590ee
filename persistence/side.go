package persistence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
)

// side is one database of a transfer.
type side struct {
	d      dialect
	pools  *pools
	unlock func() // lets nodes start again; nil: a file, which the caller has locked
}

func openSide(ctx context.Context, cfg Config) (*side, error) {
	cfg = cfg.withDefaults()
	cfg.application, cfg.StatementTimeout = transferApplication, noHurry
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

// keepOut makes nodes that start wait for as long as the side is open, and
// refuses a database at which nodes are already.
func (s *side) keepOut(ctx context.Context) (err error) {
	if s.pools.migrate == nil {
		return nil
	}
	if s.unlock, err = lockSchema(ctx, s.pools.migrate.db); err != nil {
		return err
	}
	var nodes int
	err = s.pools.migrate.db.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = $1`, nodeApplication).Scan(&nodes)
	if err != nil {
		return fmt.Errorf("look for nodes: %w", err)
	}
	if nodes > 0 {
		return fmt.Errorf("nodes use this database, by %d connections; stop them", nodes)
	}
	return nil
}

func (s *side) close() error {
	if s.unlock != nil {
		s.unlock()
	}
	return s.pools.close()
}

// read runs fn in a transaction that sees one snapshot.
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
	return fn(c)
}

// write runs fn in one transaction, which is kept if fn succeeds in ctx's time.
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
		return fmt.Errorf("commit, of which it is not known whether it was done: %w", err)
	}
	return nil
}

func (s *side) renewEpoch(ctx context.Context, epoch string) error {
	return s.write(ctx, func(c *conn) error {
		_, err := c.exec(ctx, "UPDATE meta SET value = $2 WHERE name = $1", metaEpoch, epoch)
		return err
	})
}

// openSource opens a database to read it. Its schema must be this program's: a
// transfer changes nothing of a source but its epoch.
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

// openTarget opens a database and makes its schema.
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

// checkVersion compares the schema with the newest that this program knows.
func (s *side) checkVersion(ctx context.Context, log *slog.Logger) error {
	return checkSchema(ctx, s.pools.read.db, s.d, log)
}
