package persistence_test

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"fechatter/persistence"
)

// diskBlock is what a disk writes at once.
const diskBlock = 4096

// disk is what would be there after a power cut. Files are written through to the real
// ones, which play the kernel's memory, and each successful sync copies to the disk what
// was written since the last. A sync may fail, and then the disk behaves like ext4: a
// block that was new stays unwritten, whatever is written and synced there later, until
// the file is truncated or the kernel forgets the block.
type disk struct {
	name string
	// fails decides whether to fail the sync of a file, named -wal or with the empty string.
	fails func(file string) bool

	mu    sync.Mutex
	vfs   *sqlite3.Tsqlite3_vfs
	files map[string]*diskFile // by path
	open  map[uintptr]*diskFile
	under map[uintptr]*sqlite3.Tsqlite3_io_methods // of the real VFS, by the methods that wrap them
	wraps map[uintptr]*sqlite3.Tsqlite3_io_methods // the other way round
	keep  []any                                    // what C points to
}

type diskFile struct {
	path, kind string
	size       int64
	held       map[int64][]byte // on the disk, by block
	dirty, bad map[int64]bool
}

var disks atomic.Int64 // numbers the VFSs of this process

// newDisk returns a disk whose database file is at path.
func newDisk(t testing.TB, path string, fails func(file string) bool) *disk {
	t.Helper()
	d := &disk{name: fmt.Sprint("disk", disks.Add(1)), fails: fails, files: map[string]*diskFile{}, open: map[uintptr]*diskFile{},
		under: map[uintptr]*sqlite3.Tsqlite3_io_methods{}, wraps: map[uintptr]*sqlite3.Tsqlite3_io_methods{}}
	for _, kind := range []string{"", "-wal"} {
		d.files[path+kind] = &diskFile{path: path + kind, kind: kind, held: map[int64][]byte{}, dirty: map[int64]bool{}, bad: map[int64]bool{}}
	}
	tls := libc.NewTLS()
	defer tls.Close()
	real := (*sqlite3.Tsqlite3_vfs)(pointer(sqlite3.Xsqlite3_vfs_find(tls, 0)))
	own := *real
	d.vfs = &own
	name, err := libc.CString(d.name)
	if err != nil {
		t.Fatal(err)
	}
	own.FzName, own.FpNext = name, 0
	realOpen, realDelete := real.FxOpen, real.FxDelete
	own.FxOpen = d.address(func(tls *libc.TLS, vfs, path, file uintptr, flags int32, out uintptr) int32 {
		rc := (*(*func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32)(unsafe.Pointer(&struct{ uintptr }{realOpen})))(tls, vfs, path, file, flags, out)
		if rc == sqlite3.SQLITE_OK && path != 0 {
			d.opened(libc.GoString(path), file)
		}
		return rc
	})
	own.FxDelete = d.address(func(tls *libc.TLS, vfs, path uintptr, sync int32) int32 {
		d.truncated(d.files[libc.GoString(path)], 0)
		return (*(*func(*libc.TLS, uintptr, uintptr, int32) int32)(unsafe.Pointer(&struct{ uintptr }{realDelete})))(tls, vfs, path, sync)
	})
	if rc := sqlite3.Xsqlite3_vfs_register(tls, uintptr(unsafe.Pointer(d.vfs)), 0); rc != sqlite3.SQLITE_OK {
		t.Fatal("register VFS: ", rc)
	}
	t.Cleanup(func() {
		tls := libc.NewTLS()
		defer tls.Close()
		sqlite3.Xsqlite3_vfs_unregister(tls, uintptr(unsafe.Pointer(d.vfs)))
		libc.Xfree(tls, name)
	})
	return d
}

// pointer makes a pointer of an address that C gave.
func pointer(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

// address makes a function that C may call.
func (d *disk) address(f any) uintptr {
	d.keep = append(d.keep, f)
	return (*[2]uintptr)(unsafe.Pointer(&f))[1]
}

// opened makes the calls for a file of the database come here first.
func (d *disk) opened(path string, file uintptr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[path]
	if f == nil {
		return
	}
	d.open[file] = f
	methods := &(*sqlite3.Tsqlite3_file)(pointer(file)).FpMethods
	real := *methods
	if d.wraps[real] == nil {
		d.wraps[real] = d.wrap((*sqlite3.Tsqlite3_io_methods)(pointer(real)))
	}
	*methods = uintptr(unsafe.Pointer(d.wraps[real]))
}

func (d *disk) wrap(real *sqlite3.Tsqlite3_io_methods) *sqlite3.Tsqlite3_io_methods {
	own := *real
	write, sync, truncate := real.FxWrite, real.FxSync, real.FxTruncate
	own.FxWrite = d.address(func(tls *libc.TLS, file, from uintptr, n int32, at int64) int32 {
		d.wrote(d.of(file), int64(n), at)
		return (*(*func(*libc.TLS, uintptr, uintptr, int32, int64) int32)(unsafe.Pointer(&struct{ uintptr }{write})))(tls, file, from, n, at)
	})
	own.FxSync = d.address(func(tls *libc.TLS, file uintptr, flags int32) int32 {
		if rc := (*(*func(*libc.TLS, uintptr, int32) int32)(unsafe.Pointer(&struct{ uintptr }{sync})))(tls, file, flags); rc != sqlite3.SQLITE_OK {
			return rc
		}
		return d.synced(d.of(file))
	})
	own.FxTruncate = d.address(func(tls *libc.TLS, file uintptr, size int64) int32 {
		d.truncated(d.of(file), size)
		return (*(*func(*libc.TLS, uintptr, int64) int32)(unsafe.Pointer(&struct{ uintptr }{truncate})))(tls, file, size)
	})
	return &own
}

func (d *disk) of(file uintptr) *diskFile {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open[file]
}

func (d *disk) wrote(f *diskFile, n, at int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f.size = max(f.size, at+n)
	for b := at / diskBlock; b <= (at+n-1)/diskBlock; b++ {
		f.dirty[b] = true
	}
}

func (d *disk) synced(f *diskFile) int32 {
	failed := d.fails(f.kind)
	d.mu.Lock()
	defer d.mu.Unlock()
	if failed {
		for b := range f.dirty {
			if f.held[b] == nil {
				f.bad[b] = true
			}
		}
		clear(f.dirty)
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	memory, err := os.Open(f.path)
	if err != nil {
		return sqlite3.SQLITE_IOERR
	}
	defer memory.Close() // SQLite locks the file only for other processes
	for b := range f.dirty {
		if !f.bad[b] {
			content := make([]byte, diskBlock)
			_, _ = memory.ReadAt(content, b*diskBlock) // the file may end in it
			f.held[b] = content
		}
	}
	clear(f.dirty)
	return sqlite3.SQLITE_OK
}

func (d *disk) truncated(f *diskFile, size int64) {
	if f == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f.size = size
	beyond := func(b int64) bool { return b*diskBlock >= size }
	maps.DeleteFunc(f.held, func(b int64, _ []byte) bool { return beyond(b) })
	maps.DeleteFunc(f.dirty, func(b int64, _ bool) bool { return beyond(b) })
	maps.DeleteFunc(f.bad, func(b int64, _ bool) bool { return beyond(b) })
}

// forget is what the kernel does when it is told to forget a file's blocks: what the disk
// does not take now is gone.
func (d *disk) forget(file *os.File) {
	if d.files[file.Name()] == nil {
		return
	}
	_ = d.sync(file)
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[file.Name()]
	for b := range blocks(file) {
		content := f.held[b]
		if content == nil {
			content = make([]byte, diskBlock)
		}
		_, _ = file.WriteAt(content, b*diskBlock)
	}
	clear(f.bad)
	clear(f.dirty)
}

// sync is that of a file to which was written without SQLite.
func (d *disk) sync(file *os.File) error {
	f := d.files[file.Name()]
	d.mu.Lock()
	for b, content := range blocks(file) {
		if !bytes.Equal(content, f.held[b]) {
			f.dirty[b], f.size = true, max(f.size, (b+1)*diskBlock)
		}
	}
	d.mu.Unlock()
	if d.synced(f) != sqlite3.SQLITE_OK {
		return syscall.EIO
	}
	return nil
}

// blocks yields the content of a file that consists of whole blocks.
func blocks(file *os.File) iter.Seq2[int64, []byte] {
	return func(yield func(int64, []byte) bool) {
		content := make([]byte, diskBlock)
		for b := int64(0); ; b++ {
			if n, _ := file.ReadAt(content, b*diskBlock); n < diskBlock || !yield(b, content) {
				return
			}
		}
	}
}

// holds reports whether a file is on the disk, or would be once it is written.
func (d *disk) holds(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[path]
	return f != nil && len(f.bad) == 0
}

// use returns a configuration that stores on the disk.
func (d *disk) use(cfg persistence.Config) persistence.Config {
	return cfg.WithDisk(d.name, d.forget, d.sync, d.holds)
}

// cut writes what the disk holds to a folder, as it would be after a power cut now, and
// returns the database's URL there.
func (d *disk) cut(t *testing.T) string {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	folder := t.TempDir()
	for _, f := range d.files {
		if len(f.held) == 0 && f.kind != "" {
			continue
		}
		content := make([]byte, f.size)
		for b, block := range f.held {
			if at := b * diskBlock; at < f.size {
				copy(content[at:], block)
			}
		}
		if err := os.WriteFile(filepath.Join(folder, "cut.db"+f.kind), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return "sqlite:" + filepath.Join(folder, "cut.db")
}

// diskPath returns the path of an empty database.
func diskPath(t testing.TB) string {
	t.Helper()
	path := strings.TrimPrefix(sqliteURL(t), "sqlite:")
	real, err := filepath.EvalSymlinks(filepath.Dir(filepath.Dir(path)))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(real, "chat.db")
}
