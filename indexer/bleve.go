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

// Bleve is an Index in files that one process at a time has open. Hits are ordered
// by how exactly the words match, then by time; it has no scores.
type Bleve struct {
	log     *slog.Logger
	typos   *levenshtein.LevenshteinAutomatonBuilder
	folder  *folder
	broken  atomic.Bool   // reading it failed as if damaged, or it cannot be opened; until the next Prepare
	shut    string        // name of the current index while it cannot be opened
	rebuilt *bleveRebuild // begun but not ended
	closed  bool

	mu      sync.RWMutex
	current *files // nil once closed, and while it cannot be opened
}

// OpenBleve opens the index in the folder dir, creating it if there is none. An
// index of another version, or one that differs from what was written, is replaced
// by an empty one; one that cannot be opened now is left as it is, with an error. The
// folder is locked for this process until Close; if another process has it, the error
// is ErrInUse at once.
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
		if b.current, err = openFiles(b.folder.path(name), name); !errors.Is(err, errDamaged) {
			return err
		}
		b.log.Warn("search index is damaged and is being recreated", "error", err)
	}
	return b.replace()
}

// replace replaces the current index by an empty one.
func (b *Bleve) replace() error {
	empty, err := b.begin()
	if err != nil {
		return err
	}
	return b.install(empty)
}

// begin creates an empty index beside the current one.
func (b *Bleve) begin() (*files, error) {
	name := b.folder.fresh()
	return makeFiles(b.folder.path(name), name, nil)
}

// install makes an index the current one and removes the previous one. Searches in
// progress are not disturbed: a snapshot outlives its index and its files.
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

// discard closes and removes an index. If that fails, the next start removes it.
func (b *Bleve) discard(f *files) {
	if err := errors.Join(f.close(), b.folder.remove(f.name)); err != nil {
		b.log.Warn("cannot remove search index", "index", f.name, "error", err)
	}
}

// Prepare checks all of an index that seems to be broken, and replaces it by an
// empty one if it is. If it cannot be opened now, it is left for the next Prepare.
func (b *Bleve) Prepare(ctx context.Context) error {
	if err := ctx.Err(); err != nil || !b.broken.Load() || b.closed {
		return err
	}
	b.mu.RLock()
	current := b.current
	b.mu.RUnlock()
	if current != nil {
		b.shutFiles(current)
	}
	err := b.openShut()
	if errors.Is(err, errDamaged) {
		b.log.Warn("search index is damaged and is being recreated", "error", err)
		return b.replace()
	}
	return err
}

// Apply writes a batch. When it returns, the batch is on disk and can be found.
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

// reopen goes back to what is on disk after a failed write, for example on a full
// disk: Bleve would search what is not there and retry forever.
func (b *Bleve) reopen(failed *files) {
	b.shutFiles(failed)
	if err := b.openShut(); err != nil {
		b.broken.Store(true)
		b.log.Error("cannot reopen search index", "error", err)
	}
}

// shutFiles closes the current index, whatever that says: what is on disk counts.
func (b *Bleve) shutFiles(current *files) {
	b.mu.Lock()
	b.current = nil
	b.mu.Unlock()
	b.shut = current.name
	if err := current.close(); err != nil {
		b.log.Warn("cannot close search index cleanly", "error", err)
	}
}

// openShut opens the index that shutFiles closed.
func (b *Bleve) openShut() error {
	again, err := openFiles(b.folder.path(b.shut), b.shut)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.current = again
	b.mu.Unlock()
	b.broken.Store(false)
	return nil
}

// read calls use with the index as it is now.
func (b *Bleve) read(ctx context.Context, use func(*scorch.IndexSnapshot) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	snapshot, err := b.snapshot()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	// The files are mapped, so an unreadable disk is a memory fault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			b.broken.Store(true)
			b.log.Error("cannot read search index", "panic", r, "stack", string(debug.Stack()))
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

// Close waits for a batch that is being written, closes the index and unlocks the
// folder.
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
