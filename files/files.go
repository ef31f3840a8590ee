// Package files keeps the bytes of files, in a folder or in a bucket, and looks into pictures: what
// they are, how large, and without what their camera wrote beside them.
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// Store keeps blobs under keys of letters, digits, '-', '_' and '.'. It is safe for concurrent use.
type Store interface {
	// Put stores size bytes under a key, whole or not at all, and durably once it returns. What was
	// there before is replaced. Another number of bytes than size is ErrSize.
	Put(ctx context.Context, key string, r io.Reader, size int64) error
	// Open reads a blob from its beginning; the caller closes it. Errors: ErrNotFound.
	Open(ctx context.Context, key string) (Blob, error)
	// Delete deletes a blob; one that is not there is none the less deleted.
	Delete(ctx context.Context, key string) error
	// List calls each with every blob, in no order, until it returns an error.
	List(ctx context.Context, each func(key string, size int64) error) error
	// Check returns why the store cannot be used at the moment, or nil.
	Check(ctx context.Context) error
}

// Blob is an open one.
type Blob interface {
	io.ReadSeekCloser
	io.ReaderAt
	Size() int64
}

var (
	// ErrNotFound says that there is no blob of that key.
	ErrNotFound = errors.New("no such blob")
	// ErrSize says that a blob was shorter or longer than announced.
	ErrSize = errors.New("the blob has another size than announced")
	// ErrFull says that the store has no room for it.
	ErrFull = errors.New("the store is full")
)

// Open opens the store that an address names: folder:PATH or
// s3://KEY:SECRET@HOST/BUCKET?tls=off&region=…. The folder or bucket is made if missing.
func Open(ctx context.Context, address string) (Store, error) {
	if err := CheckAddress(address); err != nil {
		return nil, err
	}
	if path, ok := strings.CutPrefix(address, "folder:"); ok {
		return openFolder(path)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, errAddress
	}
	return openBucket(ctx, u)
}

// errAddress does not show the address, which may have a secret in it.
var errAddress = errors.New("files: want folder:PATH or s3://KEY:SECRET@HOST/BUCKET")

// CheckAddress returns why an address cannot be that of a store, or nil.
func CheckAddress(address string) error {
	if path, ok := strings.CutPrefix(address, "folder:"); ok && path != "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Host == "" || strings.Trim(u.Path, "/") == "" || strings.Contains(strings.Trim(u.Path, "/"), "/") {
		return errAddress
	}
	return nil
}

const maxKey = 128

func checkKey(key string) error {
	if key == "" || len(key) > maxKey || key[0] == '.' || strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" {
		return fmt.Errorf("%q is not a key of a blob", key)
	}
	return nil
}
