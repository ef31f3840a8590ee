package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// unfinished begins the names of blobs that are being written: no key begins like that.
const unfinished = ".unfinished-"

// folder keeps each blob as a file. Its folder of the last two characters of its key keeps
// directories short.
type folder struct{ path string }

func openFolder(path string) (*folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	f := &folder{path}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("files: make the folder: %w", err)
	}
	return f, syncFolder(filepath.Dir(path))
}

func (f *folder) file(key string) string {
	return filepath.Join(f.path, key[max(0, len(key)-2):], key)
}

// Put implements Store.
func (f *folder) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if err := checkKey(key); err != nil {
		return err
	}
	path := f.file(key)
	if err := f.makeFolder(filepath.Dir(path)); err != nil {
		return full(err)
	}
	draft, err := os.CreateTemp(filepath.Dir(path), unfinished+"*")
	if err != nil {
		return full(fmt.Errorf("begin a blob: %w", err))
	}
	if err = write(ctx, draft, r, size); err == nil {
		err = os.Rename(draft.Name(), path)
	}
	if err != nil {
		return full(errors.Join(err, os.Remove(draft.Name())))
	}
	return syncFolder(filepath.Dir(path))
}

// write fills a file with size bytes, and closes it once they are on the disk.
func write(ctx context.Context, file *os.File, r io.Reader, size int64) error {
	n, err := io.Copy(file, io.LimitReader(&bounded{ctx, r}, size+1))
	if err == nil && n != size {
		err = ErrSize
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// bounded is a reader that ends with its context.
type bounded struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.r.Read(p)
}

func (f *folder) makeFolder(path string) error {
	switch err := os.Mkdir(path, 0o700); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return fmt.Errorf("make a folder: %w", err)
	}
	return syncFolder(f.path)
}

// full marks the errors of a disk without room.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return errors.Join(ErrFull, err)
	}
	return err
}

// syncFolder makes what was renamed or made in a folder last.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open a folder: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

type fileBlob struct {
	*os.File
	size int64
}

// Size implements Blob.
func (b fileBlob) Size() int64 { return b.size }

// Open implements Store.
func (f *folder) Open(_ context.Context, key string) (Blob, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	file, err := os.Open(f.file(key))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s", ErrNotFound, key)
	case err != nil:
		return nil, fmt.Errorf("open a blob: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return fileBlob{file, info.Size()}, nil
}

// Delete implements Store.
func (f *folder) Delete(_ context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := os.Remove(f.file(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete a blob: %w", err)
	}
	return nil
}

// List implements Store.
func (f *folder) List(ctx context.Context, each func(key string, size int64) error) error {
	return filepath.WalkDir(f.path, func(_ string, entry fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), unfinished) {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
			return nil
		}
		if err != nil {
			return err
		}
		return each(entry.Name(), info.Size())
	})
}

// Check implements Store.
func (f *folder) Check(context.Context) error {
	info, err := os.Stat(f.path)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder", f.path)
	}
	return err
}
