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

// Reindex is what the subcommand reindex is told.
type Reindex struct {
	Chat string `name:"chat" env:"-" help:"Only the messages of the chat with this id."`
}

const (
	reindexLook  = 200 * time.Millisecond // how often it is looked how far it is
	reindexQueue = 1000                   // messages of a chat queued at a time
)

// RebuildIndex has the search index made anew from the database: by the node that
// keeps it, or, where none runs, by this process. Searches find the old one until
// the new one is whole. Progress goes to out. When ctx ends before it is done, a
// node goes on with it.
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

// requestReindex says in the database what is to be done, and gives what waits
// for its end.
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
		return nil, fmt.Errorf("reindex: there is no chat %s, or nothing was said in it", r.Chat)
	}
	if _, err := fmt.Fprintf(out, "%d messages are queued\n", total); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return watchOutbox(ctx, store, out) }, nil
}

// besideIndexer runs fn and an indexer that does the work if no node does: with
// a file database only when no node has its folder.
func besideIndexer(ctx context.Context, c Config, store *persistence.Store, log *slog.Logger, fn func(context.Context) error) (err error) {
	if scheme(c.Database) == "sqlite" {
		folder, err := lockFolder(filepath.Dir(sqliteFile(c.Database)))
		if errors.Is(err, errFolderTaken) {
			return fn(ctx) // by the node that runs
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
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- x.Run(running) }()
	err = fn(ctx)
	stop()
	return errors.Join(err, <-ended)
}

// watchJob says how far a rebuild is until it is done.
func watchJob(ctx context.Context, store *persistence.Store, id string, out io.Writer) error {
	said := indexer.Job{}
	return poll(ctx, func() (bool, error) {
		j, err := indexer.ReadJob(ctx, store)
		if err != nil {
			return false, err
		}
		if j.ID != id {
			return false, errors.New("another rebuild was requested, which replaces this one")
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

// watchOutbox says how much waits to be indexed until nothing does that was
// queued by now.
func watchOutbox(ctx context.Context, store *persistence.Store, out io.Writer) error {
	said, since := -1, time.Now()
	return poll(ctx, func() (bool, error) {
		b, err := store.IndexBacklog(ctx)
		if err != nil {
			return false, err
		}
		if b.Waiting != said {
			_, err = fmt.Fprintf(out, "%d messages wait\n", b.Waiting)
		}
		said = b.Waiting
		return b.Waiting == 0 || b.Lag < time.Since(since)-reindexLook, err
	})
}

// poll looks until what it looks for is there: another process does it.
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
			return fmt.Errorf("not waited for any longer, a node goes on with it: %w", ctx.Err())
		}
	}
}
