package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"fechatter/persistence"
)

// RenewEpoch tells the database of c that it was restored from a backup: its
// history gets a new name. Clients hold events of the old one that are gone, and
// are then told to read anew. A file is locked meanwhile; on PostgreSQL no node
// should run. What was done is said on out.
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
	store, err := persistence.Open(ctx, persistence.Config{URL: c.Database}, nil, newID, log)
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
	_, err = fmt.Fprintf(out, "The epoch was %s and is now %s.\nClients that come back will read their chats anew. Start the nodes.\n", before, after)
	return err
}
