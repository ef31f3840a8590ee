package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// walPages is how long the log may grow by default: 64 MB, so that a checkpoint writes
	// a page once that many groups have changed.
	walPages = 16_000
	// walTail is the part of the log, as a divisor, that may be moved while nobody writes: 4 MB.
	walTail = 16
	// walTooLong is how many times as long as it should be a log may be before writes wait for it.
	walTooLong = 4
	// walEvery is how often the log is looked at.
	walEvery = 250 * time.Millisecond
)

// wal looks after SQLite's write-ahead log, because of disks that fail for a while. When
// fsync fails, the kernel gives up what it could not write and calls it written. Writing
// the same block again need not help: on ext4 a block that was new stays marked as never
// written, so that the next fsync succeeds and a reboot still finds zeros there. Hence:
//
//   - After an I/O error of a write nothing is written, and so nothing acknowledged, until
//     a checkpoint has moved the log into the database and cut the log to nothing, which
//     gives up its blocks.
//   - The process may have ended meanwhile. So a start begins with such a checkpoint, too; if
//     readers or a full disk are in its way, the log must at least be on the disk as the
//     kernel has it in memory.
//   - Before such a checkpoint the kernel is made to forget the database file's blocks, so
//     that what an earlier checkpoint failed to write is written as if for the first time.
//   - Only the store runs checkpoints: SQLite ignores the errors of its automatic ones. It
//     also runs one when the last connection closes, so the anchor is closed last. They run beside
//     writes, on a connection of their own: a commit waits for the end of a checkpoint at most.
//   - What a checkpoint moves before a reader, such as a backup, holds it up is not synced,
//     and SQLite never moves it again. So it is copied once more before that checkpoint.
type wal struct {
	path   string
	file   *os.File // the database: closing it would drop the process's locks on it
	forget func(*os.File)
	sync   func(*os.File) error
	onDisk func(path string) bool
	pages  int           // how long the log may grow before it is moved
	mover  *pool         // a connection for checkpoints, beside the one that writes
	limit  time.Duration // how long the disk may fail before the process ends
	log    *slog.Logger
	anchor *pool
	held   *conn                  // of anchor
	opened map[string]os.FileInfo // the database and its log, by path
	failed atomic.Pointer[diskFailure]
}

// diskFailure is an I/O error after which nothing may be written yet.
type diskFailure struct {
	err   error
	since time.Time
}

func (f *diskFailure) Error() string {
	return "nothing is written until the log is sound again, after: " + f.err.Error()
}
func (f *diskFailure) Unwrap() error { return f.err }

var errReaders = errors.New("checkpoint: readers are using the log")

// trouble returns the failure that keeps writes out, or nil. w may be nil.
func (w *wal) trouble() error {
	if w == nil {
		return nil
	}
	if f := w.failed.Load(); f != nil {
		return f
	}
	return nil
}

// judge notices an I/O error of a write. The connection must not have been returned yet,
// or another write could begin. Of a checkpoint beside writes that does not matter: the kernel
// reports that fsync failed to each open file, so that a commit under way learns of it by itself,
// and what follows in the log stays there until the checkpoint has been made good. w may be nil.
func (w *wal) judge(err error) {
	if w == nil || !isDiskFailure(err) || w.trouble() != nil {
		return
	}
	var cause *sqlite.Error // without the outcome of that one write
	errors.As(err, &cause)
	w.distrust(cause)
	w.log.Error("the disk failed under a write: nothing is acknowledged until the log is sound again", "error", err)
}

// distrust keeps writes out until the log is sound.
func (w *wal) distrust(cause error) {
	w.failed.Store(&diskFailure{err: cause, since: time.Now()})
}

func isDiskFailure(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_IOERR
}

// begin opens the anchor. If nobody else is at work, it also makes sound what a process
// that ended after a failure left behind.
func (w *wal) begin(ctx context.Context, write *sql.DB, alone bool) (err error) {
	if w.held, err = w.anchor.get(ctx); err != nil {
		return err
	}
	var tables int
	if err := w.held.one(ctx, "SELECT count(*) FROM sqlite_master", nil, &tables); err != nil { // opens the log
		return err
	}
	w.opened = map[string]os.FileInfo{}
	for _, path := range []string{w.path, w.path + "-wal"} {
		if w.opened[path], err = os.Stat(path); err != nil {
			return err
		}
	}
	if !alone {
		return nil
	}
	c, err := write.Conn(ctx) // not the pool's, which would keep it from migrations
	if err != nil {
		return err
	}
	defer c.Close()
	err = w.restart(ctx, &conn{c: c})
	switch {
	case isDiskFailure(err) || errors.As(err, new(syscall.Errno)):
		w.distrust(err) // so that close keeps the log
		return err
	case err != nil && !w.onDisk(w.path+"-wal"): // readers, or no room: it will be moved later
		w.distrust(err)
	}
	return nil
}

// close ends the anchor after all other connections. SQLite then moves the log and
// deletes it, but not after a failure: what it would find written might not be.
func (w *wal) close() error {
	err := w.mover.close()
	if w.held != nil {
		if w.trouble() != nil {
			err = errors.Join(err, keepLog(w.held.c))
		}
		w.anchor.put(w.held)
	}
	err = errors.Join(err, w.anchor.close())
	// Unlocked explicitly: a process that is being started holds duplicates of open files.
	return errors.Join(err, syscall.Flock(int(w.file.Fd()), syscall.LOCK_UN), w.file.Close())
}

// keepLog keeps a connection that is the last one from deleting the log when it is closed.
func keepLog(c *sql.Conn) error {
	return c.Raw(func(driver any) error {
		_, err := driver.(sqlite.FileControl).FileControlPersistWAL("main", 1)
		return err
	})
}

// tend checks the log once: it moves a long log into the database, or makes it sound
// again after a failure. An error means that the process must end.
func (w *wal) tend(ctx context.Context, write *pool) error {
	misplaced := w.inPlace()
	switch {
	case misplaced != nil:
		w.distrust(misplaced)
	case w.trouble() == nil:
		if w.move(ctx, w.mover) {
			w.finish(ctx, write)
		}
		return nil
	}
	c, err := write.get(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return nil // somebody writes for long: next time
	}
	if err != nil {
		return w.hopeless(err)
	}
	defer write.put(c)
	if misplaced != nil {
		_, moved := checkpoint(ctx, c, "PASSIVE") // into the file that is open, wherever it is now
		return errors.Join(misplaced, moved)
	}
	return w.mend(ctx, c)
}

// move moves a long log into the database while others write. It reports whether what has come
// meanwhile should be moved, too, while nobody writes: only then does SQLite begin the log anew.
// That is so once it is little, or when the log grows faster than it can be moved.
func (w *wal) move(ctx context.Context, beside *pool) (finish bool) {
	c, err := beside.get(ctx)
	if err != nil {
		return false // next time
	}
	defer beside.put(c)
	at, err := checkpoint(ctx, c, "NOOP")
	if err != nil || at.pages < w.pages || at.moved == at.pages {
		return false
	}
	if w.advance(ctx, c) != nil {
		return false
	}
	at, err = checkpoint(ctx, c, "NOOP")
	left := at.pages - at.moved
	return err == nil && left > 0 && (left <= w.pages/walTail || at.pages >= walTooLong*w.pages)
}

// finish moves the rest of the log while nobody writes.
func (w *wal) finish(ctx context.Context, write *pool) {
	c, err := write.get(ctx)
	if err != nil {
		return // somebody writes for long: next time
	}
	defer write.put(c)
	_ = w.advance(ctx, c) // judged
}

// advance moves what it can of the log, and judges how that went.
func (w *wal) advance(ctx context.Context, c *conn) error {
	_, err := checkpoint(ctx, c, "PASSIVE")
	w.judge(err)
	return err
}

// inPlace fails if the database or its log is not the file that is open: somebody has moved,
// removed or replaced it, and what is written now might be gone with the process.
func (w *wal) inPlace() error {
	for path, opened := range w.opened {
		now, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) || err == nil && !os.SameFile(now, opened) {
			return fmt.Errorf("%s has been moved, removed or replaced under a running node: stop nodes before you touch their files", path)
		}
	}
	return nil
}

// mend makes the log sound again. It returns an error when there is no hope left.
func (w *wal) mend(ctx context.Context, c *conn) error {
	err := w.restart(ctx, c)
	if err == nil {
		w.log.Warn("the disk works again, and the log is sound", "after", time.Since(w.failed.Load().since).Round(time.Millisecond))
		w.failed.Store(nil)
		return nil
	}
	c.bad = true // it may have been opened while nobody could write
	return w.hopeless(err)
}

// hopeless returns an error once the disk has failed for too long. Readers and a full disk
// are worth waiting for: nothing is lost by that.
func (w *wal) hopeless(err error) error {
	f := w.failed.Load()
	if f == nil || time.Since(f.since) < w.limit || errors.Is(err, errReaders) || isFull(err) {
		return nil
	}
	return fmt.Errorf("the disk has failed for %s, so that nothing can be kept: %w", w.limit, err)
}

func isFull(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL
}

// restart moves the whole log into the database and cuts it to nothing.
func (w *wal) restart(ctx context.Context, c *conn) error {
	at, err := checkpoint(ctx, c, "NOOP")
	if err != nil {
		return err
	}
	if err := w.copyAgain(ctx, c, at.moved); err != nil {
		return err
	}
	at, err = checkpoint(ctx, c, "TRUNCATE")
	if err != nil {
		return err
	}
	if at.busy {
		return errReaders
	}
	info, err := os.Stat(w.path + "-wal")
	if err == nil && info.Size() > 0 {
		err = fmt.Errorf("checkpoint: the log still has %d bytes", info.Size())
	}
	return err
}

// copyAgain makes the kernel forget the database file, and copies to it what checkpoints
// have moved from the log, which is its first frames. Nobody can begin the log anew
// meanwhile.
func (w *wal) copyAgain(ctx context.Context, c *conn, frames int) (err error) {
	if frames > 0 {
		if err := c.control(ctx, "BEGIN IMMEDIATE"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, c.control(ctx, "ROLLBACK")) }()
	}
	w.forget(w.file)
	if frames == 0 {
		return nil
	}
	if err = copyFrames(w.path+"-wal", w.file, frames); err == nil {
		err = w.sync(w.file)
	}
	return err
}

// walState is how far a checkpoint has come.
type walState struct {
	busy         bool // it could not do everything because of others
	pages, moved int
}

func checkpoint(ctx context.Context, c *conn, mode string) (at walState, err error) {
	err = c.one(ctx, "PRAGMA wal_checkpoint("+mode+")", nil, &at.busy, &at.pages, &at.moved)
	if err != nil {
		return at, fmt.Errorf("checkpoint: %w", err)
	}
	return at, nil
}

// runWAL tends the log until ctx ends, or until the process must end.
func (s *Store) runWAL(ctx context.Context) error {
	if s.pools.wal == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(walEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.pools.wal.tend(ctx, s.pools.write); err != nil {
			return fmt.Errorf("database %s: %w", s.pools.wal.path, err)
		}
	}
}
