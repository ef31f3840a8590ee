package indexer

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

const (
	// batchTimeout bounds a batch; disks are slow, but not that slow.
	batchTimeout = time.Minute

	analysisWorkers = 2

	// positionKey is where an index keeps its position.
	positionKey = "position"
)

var (
	errClosed  = errors.New("the index is closed")
	errBroken  = errors.New("the index is broken")
	errWrite   = errors.New("cannot write batch")
	errApplies = errors.New("the previous batch is still being written")
)

// files is one index on disk.
type files struct {
	name   string
	index  index.Index
	queue  *index.AnalysisQueue
	before chan error // outcome of a batch whose Apply returned before it was written
}

// openFiles opens the index in path if it is intact; otherwise the error is errDamaged.
// Any other error says nothing about the index. Bleve alone would go on with an older
// state of it, or with an empty index, and remove the rest.
func openFiles(path, name string) (f *files, err error) {
	// The files are mapped, so reading past the end of a truncated one is a memory
	// fault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			f, err = nil, fmt.Errorf("open index: %w: %v", errDamaged, r)
		}
	}()
	segments, err := checkFiles(path)
	if err != nil {
		return nil, err
	}
	return makeFiles(path, name, segments)
}

// makeFiles opens the index in path, whose last state has these segments, creating an
// empty one if there is none. It changes nothing if it cannot open all of them, as it
// may when descriptors run out.
func makeFiles(path, name string, segments []string) (*files, error) {
	queue := index.NewAnalysisQueue(analysisWorkers)
	made, err := openScorch(path, name, segments, queue)
	if err != nil {
		queue.Close()
		return nil, fmt.Errorf("open index: %w", err)
	}
	return &files{name: name, index: made, queue: queue}, nil
}

// errNotAll hides a cause that Bleve only logs before it tries an older state.
var errNotAll = errors.New("some of its segments cannot be opened now")

func openScorch(path, name string, segments []string, queue *index.AnalysisQueue) (_ index.Index, err error) {
	made, err := scorch.NewScorch(name, map[string]any{"path": path, "bolt_timeout": boltTimeout.String()}, queue)
	if err != nil {
		return nil, err
	}
	s, ok := made.(*scorch.Scorch)
	if !ok {
		return nil, errors.New("not a scorch index")
	}
	// Nothing is removed before Open starts the goroutines that do so.
	if err := s.OpenMeta(); err != nil {
		return nil, err
	}
	if !hasSegments(s, segments) {
		return nil, errors.Join(errNotAll, s.Close())
	}
	return s, s.Open()
}

// hasSegments reports whether these are the segments of the state that s would go on with.
func hasSegments(s *scorch.Scorch, names []string) bool {
	reader, err := s.Reader()
	if err != nil {
		return false
	}
	defer reader.Close()
	root, ok := reader.(*scorch.IndexSnapshot)
	if !ok || len(root.Segments()) != len(names) {
		return false
	}
	for _, part := range root.Segments() {
		stored, ok := part.Segment().(segment.PersistedSegment)
		if !ok || !slices.Contains(names, filepath.Base(stored.Path())) {
			return false
		}
	}
	return true
}

func (f *files) close() error {
	if f.before != nil {
		<-f.before //nolint:errcheck // nobody is waiting for the batch: its rows stay in the outbox
	}
	err := f.index.Close()
	f.queue.Close()
	if err != nil {
		return fmt.Errorf("close index: %w", err)
	}
	return nil
}

// snapshot returns the index as it is now. It stays readable until it is closed,
// even after the index is closed.
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

// apply writes a batch and waits until it is on disk. A batch that it stopped
// waiting for is still written, before any other.
func (f *files) apply(ctx context.Context, b Batch) error {
	if err := ctx.Err(); err != nil || b.Len() == 0 && b.Position == "" {
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

// write writes a batch. Finding what the batch replaces reads mapped files, so an
// unreadable disk is a memory fault.
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
	if b.Position != "" {
		batch.SetInternal([]byte(positionKey), []byte(b.Position))
	}
	return batch
}
