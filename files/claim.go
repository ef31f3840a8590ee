package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// markKey is that of the blob that says whose a store is.
const markKey = "store"

// Marks keeps the mark of the store that a database's files are in.
type Marks interface {
	// MarkFiles keeps a mark unless there is one, and returns the one that is kept.
	MarkFiles(ctx context.Context, mark string) (string, error)
}

// ErrForeign says that a store is not the one that the database's files are in.
var ErrForeign = errors.New("this store is not the one that the database's files are in: several nodes need the same files setting, and a folder that all of them share")

// Claim makes sure that a store belongs to a database: of nodes with a folder each, whatever one
// gets the others would not find. A node that is alone takes an empty store in place of the one
// that was, as after a restore, and Claim reports so: earlier files are missing until they are put
// there.
func Claim(ctx context.Context, store Store, marks Marks, newID func() string, alone bool) (instead bool, err error) {
	mark, err := readMark(ctx, store)
	fresh := errors.Is(err, ErrNotFound)
	if fresh {
		mark = newID()
		err = putMark(ctx, store, mark)
	}
	if err != nil {
		return false, fmt.Errorf("files: mark the store: %w", err)
	}
	kept, err := marks.MarkFiles(ctx, mark)
	switch {
	case err != nil || kept == mark:
		return false, err
	case fresh && alone:
		return true, putMark(ctx, store, kept)
	case fresh: // so that it can still be another's
		err = store.Delete(ctx, markKey)
	}
	return false, errors.Join(ErrForeign, err)
}

func putMark(ctx context.Context, store Store, mark string) error {
	return store.Put(ctx, markKey, strings.NewReader(mark), int64(len(mark)))
}

func readMark(ctx context.Context, store Store) (string, error) {
	b, err := store.Open(ctx, markKey)
	if err != nil {
		return "", err
	}
	defer b.Close()
	mark, err := io.ReadAll(io.LimitReader(b, maxKey))
	return string(mark), err
}
