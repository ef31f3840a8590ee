package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"fechatter/chat"
	"fechatter/indexer"
	"fechatter/persistence"
)

// Reindex is the arguments of the reindex command.
type Reindex struct {
	Chat string `name:"chat" env:"-" help:"Index only the messages of the chat with this id."`
}

const (
	reindexLook  = 200 * time.Millisecond // how often progress is checked
	reindexQueue = 1000                   // messages of a chat queued at a time
)

// RebuildIndex rebuilds the search index from the database: the node that keeps the
// index does it, or this process where none is running. Searches use the old index
// until the new one is complete. It prints progress on out. When ctx ends early, a
// node carries on.
func RebuildIndex(ctx context.Context, c Config, r Reindex, out, errOut io.Writer) (err error) {
	if r.Chat != "" && !chat.ValidID(r.Chat) {
		return errors.New("reindex: --chat must be the id of a chat")
	}
	if err := databaseThere(c.Database); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := persistence.Open(ctx, persistence.Config{URL: c.Database}, nil, newID, log)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	wait, err := requestReindex(ctx, store, r, out)
	if err != nil {
		return err
	}
	return besideIndexer(ctx, c, store, log, wait)
}

// requestReindex puts the request into the database, and returns what waits until it
// is done.
func requestReindex(ctx context.Context, store *persistence.Store, r Reindex, out io.Writer) (wait func(context.Context) error, err error) {
	if r.Chat == "" {
		id := newID()
		if err := indexer.RequestRebuild(ctx, store, id); err != nil {
			return nil, err
		}
		return func(ctx context.Context) error { return watchJob(ctx, store, id, out) }, nil
	}
	total := 0
	for after := int64(0); ; {
		n, last, err := store.QueueChat(ctx, r.Chat, after, reindexQueue)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		total, after = total+n, last
	}
	if total == 0 {
		return nil, fmt.Errorf("reindex: chat %s does not exist or has no messages", r.Chat)
	}
	if _, err := fmt.Fprintf(out, "%d messages queued\n", total); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return watchOutbox(ctx, store, out) }, nil
}

// besideIndexer runs fn beside an indexer, which does the work if no node does. With
// a file database it runs the indexer only when no node holds the folder.
func besideIndexer(ctx context.Context, c Config, store *persistence.Store, log *slog.Logger, fn func(context.Context) error) (err error) {
	if scheme(c.Database) == "sqlite" {
		folder, err := lockFolder(filepath.Dir(sqliteFile(c.Database)))
		if errors.Is(err, errFolderTaken) {
			return fn(ctx) // the running node does the work
		}
		if err != nil {
			return err
		}
		defer folder.Close() // nothing was written
	}
	engine, err := openEngine(c, nil, log)
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	x := indexer.New(indexerConfig(c, newID()), engine, store, log)
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- x.Run(running) }()
	err = fn(ctx)
	cancel()
	return errors.Join(err, <-ended)
}

// watchJob prints how far a rebuild is until it is done.
func watchJob(ctx context.Context, store *persistence.Store, id string, out io.Writer) error {
	said := indexer.Job{}
	return poll(ctx, func() (bool, error) {
		j, err := indexer.ReadJob(ctx, store)
		if err != nil {
			return false, err
		}
		if j.ID != id {
			return false, errors.New("another rebuild was requested and replaces this one")
		}
		if j != said && j.Total > 0 {
			_, err = fmt.Fprintf(out, "%d of %d messages\n", j.Done, j.Total)
		}
		if said = j; j.State == indexer.JobDone && err == nil {
			_, err = fmt.Fprintln(out, "Done: the new index is in use.")
		}
		return j.State == indexer.JobDone, err
	})
}

// watchOutbox prints how much is waiting to be indexed, until everything queued by
// now is done.
func watchOutbox(ctx context.Context, store *persistence.Store, out io.Writer) error {
	said, since := -1, time.Now()
	return poll(ctx, func() (bool, error) {
		b, err := store.IndexBacklog(ctx)
		if err != nil {
			return false, err
		}
		if b.Waiting != said {
			_, err = fmt.Fprintf(out, "%d messages waiting\n", b.Waiting)
		}
		said = b.Waiting
		return b.Waiting == 0 || b.Lag < time.Since(since)-reindexLook, err
	})
}

// poll looks until another process has done what it looks for.
func poll(ctx context.Context, look func() (done bool, err error)) error {
	tick := time.NewTicker(reindexLook)
	defer tick.Stop()
	for {
		if done, err := look(); done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("no longer waiting, but a node carries on: %w", ctx.Err())
		}
	}
}
