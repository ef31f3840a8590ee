package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"fechatter/persistence"
)

// Backup is the arguments of the backup command.
type Backup struct {
	File string `arg:"" help:"File for the copy; it must not exist."`
}

// BackUp copies the database of c to a file while a node keeps running. The copy is
// a snapshot that holds everything acknowledged before. PostgreSQL is not copied:
// the error tells how to do that. BackUp prints the result on out.
func BackUp(ctx context.Context, c Config, b Backup, out io.Writer) error {
	if scheme(c.Database) != "sqlite" {
		return errors.New("backup: PostgreSQL has better tools of its own, such as\n" +
			"  pg_dump --format=custom --file=FILE DATABASE\n" +
			"or base backups with a WAL archive; see docs/operations.md, Backup and restore")
	}
	if err := persistence.BackUpSQLite(ctx, sqliteFile(c.Database), b.File); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	info, err := os.Stat(b.File)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err = fmt.Fprintf(out, "The database is copied to %s, %d bytes.\nTo restore it: stop the node, replace the database file with the copy and delete its -wal and -shm files,\nrun fechatter restored, and start the node.\n", b.File, info.Size())
	return err
}

// RenewEpoch marks the database of c as restored from a backup: its history gets a
// new epoch, so that clients, which may hold events of the old one that are gone,
// are told to read their chats again. A file is locked meanwhile; on PostgreSQL no
// node should be running. RenewEpoch prints the result on out.
func RenewEpoch(ctx context.Context, c Config, out, errOut io.Writer) (err error) {
	if err := databaseThere(c.Database); err != nil {
		return err
	}
	if scheme(c.Database) == "sqlite" {
		folder, err := lockFolder(filepath.Dir(sqliteFile(c.Database)))
		if err != nil {
			return err
		}
		defer folder.Close()
	}
	log := slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := persistence.Open(ctx, persistence.Config{URL: c.Database, Alone: true}, nil, newID, log)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	before, _, err := store.Epoch(ctx)
	if err != nil {
		return err
	}
	if err := store.RenewEpoch(ctx); err != nil {
		return err
	}
	after, _, err := store.Epoch(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "The epoch was %s and is now %s.\nReturning clients will read their chats again. Start the nodes.\n", before, after)
	return err
}
