package files

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"fechatter/chat"
)

// Records keeps what is known of files.
type Records interface {
	BeginFile(ctx context.Context, f chat.File, lasts time.Duration, most int64) (chat.Time, error)
	FinishFile(ctx context.Context, id string) error
	DoomFiles(ctx context.Context, limit int) (ids []string, err error)
	DropFile(ctx context.Context, id string) error
}

// Library takes files in and gives them out. It is safe for concurrent use.
type Library struct {
	store    Store
	records  Records
	pictures *Pictures
	newID    func() string
	spool    string
	limits   chat.Limits
}

// NewLibrary returns a library that keeps its bytes in a store. Uploads pass through unnamed files
// in the folder spool, "" for the system's.
func NewLibrary(store Store, records Records, newID func() string, spool string, limits chat.Limits) *Library {
	return &Library{store, records, NewPictures(), newID, spool, limits}
}

func thumbKey(id string, size int) string { return id + "." + strconv.Itoa(size) }

// Content opens the bytes of a file; the caller closes them.
func (l *Library) Content(ctx context.Context, f chat.File) (Blob, error) {
	return l.open(ctx, f.ID)
}

// Thumb opens a picture of at most so many pixels in either direction, one of Sizes, as JPEG; the
// caller closes it.
func (l *Library) Thumb(ctx context.Context, f chat.File, size int) (Blob, error) {
	if !f.Thumb {
		return nil, chat.Errorf(chat.NotFound, "this file cannot be shown small")
	}
	return l.open(ctx, thumbKey(f.ID, size))
}

func (l *Library) open(ctx context.Context, key string) (Blob, error) {
	b, err := l.store.Open(ctx, key)
	if err != nil { // its record says that it is there
		return nil, unavailable(err)
	}
	return b, nil
}

// sweepAtOnce is how many files are deleted before the next ones are looked for.
const sweepAtOnce = 100

// Sweep deletes the files that no message has and whose time is over, and returns how many.
func (l *Library) Sweep(ctx context.Context) (swept int, err error) {
	for {
		ids, err := l.records.DoomFiles(ctx, sweepAtOnce)
		if err != nil || len(ids) == 0 {
			return swept, err
		}
		for _, id := range ids {
			if err := l.remove(ctx, id); err != nil {
				return swept, err
			}
			swept++
		}
	}
}

// remove deletes the bytes of a file, and then its record.
func (l *Library) remove(ctx context.Context, id string) error {
	keys := []string{id}
	for _, size := range Sizes {
		keys = append(keys, thumbKey(id, size))
	}
	for _, key := range keys {
		if err := l.store.Delete(ctx, key); err != nil {
			return err
		}
	}
	return l.records.DropFile(ctx, id)
}

// Check returns why files cannot be had at the moment, or nil.
func (l *Library) Check(ctx context.Context) error {
	if err := l.store.Check(ctx); err != nil {
		return fmt.Errorf("files: %w", err)
	}
	return nil
}

// unavailable is what somebody is told whose file cannot be stored or read at the moment.
func unavailable(err error) error {
	switch {
	case err == nil || errors.As(err, new(*chat.Error)):
		return err
	case errors.Is(err, ErrFull):
		return chat.Wrap(chat.Unavailable, err, "there is no room for files at the moment")
	}
	return chat.Wrap(chat.Unavailable, err, "files cannot be reached at the moment")
}
