package indexer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/vellum/levenshtein"
)

// Bleve is an Index in files of this process: a node's own, for one node. Order
// is by how exactly the words match, then by time; it has no scores.
type Bleve struct {
	log     *slog.Logger
	typos   *levenshtein.LevenshteinAutomatonBuilder
	folder  *folder
	broken  atomic.Bool   // reading it failed as by damage, or it cannot be opened: until the next Prepare
	rebuilt *bleveRebuild // begun and not ended
	closed  bool

	mu      sync.RWMutex
	current *files // nil once closed, and while it cannot be opened
}

// OpenBleve opens the index in the folder dir, and makes it where there is none.
// An index of another version, or one that is not as it was written, is replaced
// by an empty one. The folder is this process's alone until Close: the error is
// ErrInUse at once if another has it.
func OpenBleve(dir string, log *slog.Logger) (*Bleve, error) {
	typos, err := levenshtein.NewLevenshteinAutomatonBuilder(1, true)
	if err != nil {
		return nil, fmt.Errorf("prepare for typos: %w", err)
	}
	folder, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	b := &Bleve{log: log, typos: typos, folder: folder}
	if err := b.open(); err != nil {
		return nil, errors.Join(err, folder.close())
	}
	return b, nil
}

// open opens the current index, or an empty one in its place.
func (b *Bleve) open() error {
	name, err := b.folder.current()
	if err != nil {
		return err
	}
	if err := b.folder.sweep(name); err != nil {
		return err
	}
	if name != "" {
		if b.current, err = openFiles(b.folder.path(name), name); err == nil {
			return nil
		}
		b.log.Warn("search index is broken and is made anew", "error", err)
	}
	return b.replace()
}

// replace puts an empty index into the place of the current one.
func (b *Bleve) replace() error {
	empty, err := b.begin()
	if err != nil {
		return err
	}
	return b.install(empty)
}

// begin makes an empty index beside the current one.
func (b *Bleve) begin() (*files, error) {
	name := b.folder.fresh()
	return makeFiles(b.folder.path(name), name)
}

// install makes an index the current one, and removes the one before once its
// searches are done with it: a snapshot outlives its index and its files.
func (b *Bleve) install(f *files) error {
	if err := b.folder.makeCurrent(f.name); err != nil {
		return err
	}
	b.mu.Lock()
	old := b.current
	b.current = f
	b.mu.Unlock()
	b.broken.Store(false)
	if old != nil {
		b.discard(old)
	}
	return nil
}

// discard closes and removes an index. What cannot be removed is at the next start.
func (b *Bleve) discard(f *files) {
	if err := errors.Join(f.close(), b.folder.remove(f.name)); err != nil {
		b.log.Warn("search index cannot be removed", "index", f.name, "error", err)
	}
}

// Prepare reads all of an index that seems to be broken, and replaces it by an
// empty one if it is.
func (b *Bleve) Prepare(ctx context.Context) error {
	if err := ctx.Err(); err != nil || !b.broken.Load() || b.closed {
		return err
	}
	b.mu.RLock()
	current := b.current
	b.mu.RUnlock()
	if current != nil && b.reopen(current) {
		b.broken.Store(false)
		return nil
	}
	b.log.Warn("search index is broken and is made anew")
	return b.replace()
}

// Apply writes a batch; it is on disk and found when it answers.
func (b *Bleve) Apply(ctx context.Context, batch Batch) error {
	b.mu.RLock()
	current := b.current
	b.mu.RUnlock()
	if current == nil {
		return errClosed
	}
	err := current.apply(ctx, batch)
	if errors.Is(err, errWrite) {
		b.reopen(current)
	}
	return err
}

// reopen goes back to what is on disk after a write has failed, as when the disk
// is full: Bleve would search what is not there, and try again without end.
func (b *Bleve) reopen(failed *files) (whole bool) {
	b.mu.Lock()
	b.current = nil
	b.mu.Unlock()
	closed := failed.close()
	again, err := openFiles(b.folder.path(failed.name), failed.name)
	if err != nil {
		b.broken.Store(true)
		b.log.Error("search index cannot be opened again", "error", errors.Join(closed, err))
		return false
	}
	b.mu.Lock()
	b.current = again
	b.mu.Unlock()
	return true
}

// read reads the index as it is now.
func (b *Bleve) read(ctx context.Context, use func(*scorch.IndexSnapshot) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	snapshot, err := b.snapshot()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	// A disk that cannot be read is a fault of memory: the files are mapped.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			b.broken.Store(true)
			b.log.Error("search index cannot be read", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("read index: %v", r)
		}
	}()
	return use(snapshot)
}

func (b *Bleve) snapshot() (*scorch.IndexSnapshot, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.broken.Load() {
		return nil, errBroken
	}
	if b.current == nil {
		return nil, errClosed
	}
	return b.current.snapshot()
}

// Close closes the index, waiting for a batch that is being written, and gives the
// folder back.
func (b *Bleve) Close() error {
	b.mu.Lock()
	current := b.current
	b.current = nil
	b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	if b.rebuilt != nil {
		b.discard(b.rebuilt.files)
	}
	if current == nil {
		return b.folder.close()
	}
	return errors.Join(current.close(), b.folder.close())
}
