package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"fechatter/persistence"
)

// Backup is what the subcommand backup is told.
type Backup struct {
	File string `arg:"" help:"Where the copy goes; it must not exist."`
}

// BackUp copies the database of c into a file, as it is at one moment, while a
// node goes on. What was acknowledged before is in it. PostgreSQL is not copied:
// the error says how that is done. What was done is said on out.
func BackUp(ctx context.Context, c Config, b Backup, out io.Writer) error {
	if scheme(c.Database) != "sqlite" {
		return errors.New("backup: PostgreSQL has better tools of its own, such as\n" +
			"  pg_dump --format=custom --file=FILE DATABASE\n" +
			"or base backups with an archive of the log; see docs/operations.md, Backup and restore")
	}
	if err := persistence.BackUpSQLite(ctx, sqliteFile(c.Database), b.File); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	info, err := os.Stat(b.File)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s holds the database, %d bytes. To restore it: put it in the place of the file, without a node running and\nwithout its -wal and -shm; fechatter restored; start the node.\n", b.File, info.Size())
	return err
}
