package indexer

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

const (
	// batchTimeout is how long a batch may take; disks are slow, not that slow.
	batchTimeout = time.Minute

	analysisWorkers = 2
)

var (
	errClosed  = errors.New("index is closed")
	errApplies = errors.New("the batch before is still being written")
)

// files is one index on disk.
type files struct {
	name   string
	index  index.Index
	queue  *index.AnalysisQueue
	before chan error // of the batch that nobody waited for until its end
}

// openFiles opens or makes the index in path, and reads it once to see whether it
// is whole.
func openFiles(path, name string) (f *files, err error) {
	// A file that is shorter than it says is a fault of memory when it is mapped.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("open index: %v", r)
		}
	}()
	queue := index.NewAnalysisQueue(analysisWorkers)
	made, err := scorch.NewScorch(name, map[string]any{"path": path, "bolt_timeout": "1s"}, queue)
	if err != nil {
		queue.Close()
		return nil, fmt.Errorf("make index: %w", err)
	}
	if err := made.Open(); err != nil {
		queue.Close()
		return nil, fmt.Errorf("open index: %w", err)
	}
	f = &files{name: name, index: made, queue: queue}
	if err := f.check(); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *files) close() error {
	if f.before != nil {
		<-f.before
	}
	err := f.index.Close()
	f.queue.Close()
	if err != nil {
		return fmt.Errorf("close index: %w", err)
	}
	return nil
}

// check compares the files with their sums.
func (f *files) check() error {
	snapshot, err := f.snapshot()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	for _, s := range snapshot.Segments() {
		if stored, ok := s.Segment().(segment.PersistedSegment); ok {
			if err := checkSum(stored.Path()); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkSum compares a file with its last four bytes, the CRC-32 of those before.
func checkSum(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("check index: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("check index: %w", err)
	}
	sum := crc32.NewIEEE()
	var want [4]byte
	if _, err := io.CopyN(sum, file, info.Size()-int64(len(want))); err != nil {
		return fmt.Errorf("check index: %w", err)
	}
	if _, err := io.ReadFull(file, want[:]); err != nil {
		return fmt.Errorf("check index: %w", err)
	}
	if string(sum.Sum(nil)) != string(want[:]) {
		return fmt.Errorf("check index: %s is not as it was written", info.Name())
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
		case <-f.before:
			f.before = nil
		case <-ctx.Done():
			return errors.Join(errApplies, ctx.Err())
		}
	}
	written := make(chan error, 1)
	go func() { written <- f.index.Batch(bleveBatch(b)) }()
	select {
	case err := <-written:
		if err != nil {
			return fmt.Errorf("write batch: %w", err)
		}
		return nil
	case <-ctx.Done():
		f.before = written
		return fmt.Errorf("write batch: %w", ctx.Err())
	}
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
