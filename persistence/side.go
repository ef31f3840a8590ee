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

// openTarget opens a database, makes its schema, and keeps nodes that start from
// going on for as long as it is open. Files are locked by the caller.
func openTarget(ctx context.Context, cfg Config, log *slog.Logger) (*side, error) {
	s, err := openSide(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, log); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *side) prepare(ctx context.Context, log *slog.Logger) error {
	if s.d.perRow {
		if err := migrateSchema(ctx, s.pools.write.db, s.d, log); err != nil {
			return err
		}
		return s.checkVersion(ctx, log)
	}
	err := migrateSchema(ctx, s.pools.migrate.db, s.d, log)
	if err == nil {
		s.unlock, err = lockSchema(ctx, s.pools.migrate.db)
	}
	if err == nil {
		err = s.refuseNodes(ctx) // one may have come before the lock
	}
	if err != nil {
		return err
	}
	return s.checkVersion(ctx, log)
}

// checkVersion compares the schema with the newest that this program knows.
func (s *side) checkVersion(ctx context.Context, log *slog.Logger) error {
	provider, err := newProvider(s.pools.read.db, s.d, log)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	var version, newest int64
	for _, known := range provider.ListSources() { // in no order
		newest = max(newest, known.Version)
	}
	err = s.pools.read.db.QueryRowContext(ctx, "SELECT COALESCE(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&version)
	if err != nil {
		return fmt.Errorf("this is no database of Fechatter: %w", err)
	}
	if version != newest {
		return fmt.Errorf("the schema is version %d, this program's is %d: run a node of this release on it once, or use the release that it is of",
			version, newest)
	}
	return nil
}
