package indexer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
)

const (
	// batchTimeout is how long a batch may take; disks are slow, not that slow.
	batchTimeout = time.Minute

	analysisWorkers = 2
)

var (
	errClosed  = errors.New("index is closed")
	errBroken  = errors.New("index is broken")
	errWrite   = errors.New("batch cannot be written")
	errApplies = errors.New("the batch before is still being written")
)

// files is one index on disk.
type files struct {
	name   string
	index  index.Index
	queue  *index.AnalysisQueue
	before chan error // of the batch that nobody waited for until its end
}

// openFiles opens the index in path if it is whole. Bleve alone would go on with an
// older state of it, or with an empty one.
func openFiles(path, name string) (f *files, err error) {
	// A file that is shorter than it says is a fault of memory when it is mapped.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			f, err = nil, fmt.Errorf("open index: %v", r)
		}
	}()
	if err := checkFiles(path); err != nil {
		return nil, err
	}
	return makeFiles(path, name)
}

// makeFiles opens the index in path, and makes an empty one where there is none.
func makeFiles(path, name string) (*files, error) {
	queue := index.NewAnalysisQueue(analysisWorkers)
	made, err := scorch.NewScorch(name, map[string]any{"path": path, "bolt_timeout": "1s"}, queue)
	if err == nil {
		err = made.Open()
	}
	if err != nil {
		queue.Close()
		return nil, fmt.Errorf("open index: %w", err)
	}
	return &files{name: name, index: made, queue: queue}, nil
}

func (f *files) close() error {
	if f.before != nil {
		<-f.before //nolint:errcheck // nobody waits for the batch any more: the rows stay in the outbox
	}
	err := f.index.Close()
	f.queue.Close()
	if err != nil {
		return fmt.Errorf("close index: %w", err)
	}
	return nil
}

// snapshot gives the index as it is now. It stays readable until it is closed,
// even if the index is closed before.
func (f *files) snapshot() (*scorch.IndexSnapshot, error) {
	reader, err := f.index.Reader()
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	snapshot, ok := reader.(*scorch.IndexSnapshot)
	if !ok || snapshot == nil {
		return nil, errClosed
	}
	return snapshot, nil
}

// apply writes a batch and waits until it is on disk. What was given up waiting
// for is written all the same, and before anything else.
func (f *files) apply(ctx context.Context, b Batch) error {
	if err := ctx.Err(); err != nil || b.Len() == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	if f.before != nil {
		select {
		case err := <-f.before:
			f.before = nil
			if err != nil {
				return fmt.Errorf("%w: %w", errWrite, err)
			}
		case <-ctx.Done():
			return errors.Join(errApplies, ctx.Err())
		}
	}
	written := make(chan error, 1)
	go func() { written <- f.write(b) }()
	select {
	case err := <-written:
		if err != nil {
			return fmt.Errorf("%w: %w", errWrite, err)
		}
		return nil
	case <-ctx.Done():
		f.before = written
		return fmt.Errorf("write batch: %w", ctx.Err())
	}
}

// write looks for what the batch replaces in files that are mapped: a disk that
// cannot be read is a fault of memory.
func (f *files) write(b Batch) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("write batch: %v at %s", r, debug.Stack())
		}
	}()
	return f.index.Batch(bleveBatch(b))
}

func bleveBatch(b Batch) *index.Batch {
	batch := index.NewBatch()
	for _, d := range b.Documents {
		batch.Update(bleveDocument(d))
	}
	for _, id := range b.Deleted {
		batch.Delete(id)
	}
	return batch
}
