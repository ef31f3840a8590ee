package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// partBytes is how much of an upload is in memory at once: S3 wants parts of 5 MiB or more.
const partBytes = 8 << 20

// bucketPatience bounds the questions about a bucket.
const bucketPatience = 10 * time.Second

// bucket keeps blobs as objects of an S3 bucket.
type bucket struct {
	client *minio.Client
	name   string
}

func openBucket(ctx context.Context, u *url.URL) (*bucket, error) {
	secret, _ := u.User.Password()
	client, err := minio.New(u.Host, &minio.Options{Creds: credentials.NewStaticV4(u.User.Username(), secret, ""),
		Secure: u.Query().Get("tls") != "off", Region: u.Query().Get("region"), BucketLookup: minio.BucketLookupAuto})
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	b := &bucket{client, strings.Trim(u.Path, "/")}
	ctx, cancel := context.WithTimeout(ctx, bucketPatience)
	defer cancel()
	exists, err := client.BucketExists(ctx, b.name)
	if err == nil && !exists {
		err = client.MakeBucket(ctx, b.name, minio.MakeBucketOptions{Region: u.Query().Get("region")})
	}
	if err != nil {
		return nil, fmt.Errorf("files: open bucket %s: %w", b.name, err)
	}
	return b, nil
}

// Put implements Store. S3 shows an object once all of it is stored.
func (b *bucket) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if err := checkKey(key); err != nil {
		return err
	}
	exact := &exactly{r: r, left: size}
	_, err := b.client.PutObject(ctx, b.name, key, exact, size, minio.PutObjectOptions{PartSize: partBytes, ContentType: "application/octet-stream"})
	if err == nil && !exact.ended() {
		err = errors.Join(ErrSize, b.Delete(ctx, key))
	}
	if exact.wrong {
		err = errors.Join(ErrSize, err)
	}
	if status := minio.ToErrorResponse(err).StatusCode; status == http.StatusInsufficientStorage {
		err = errors.Join(ErrFull, err)
	}
	return err
}

// exactly reads as many bytes as were announced, and notices more or fewer.
type exactly struct {
	r     io.Reader
	left  int64
	wrong bool
}

// Read implements io.Reader.
func (e *exactly) Read(p []byte) (int, error) {
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	if e.left -= int64(n); err == io.EOF && e.left > 0 {
		e.wrong = true
		err = io.ErrUnexpectedEOF
	}
	if e.left == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// ended reports whether nothing follows.
func (e *exactly) ended() bool {
	n, _ := io.ReadFull(e.r, make([]byte, 1))
	e.wrong = e.wrong || n > 0
	return !e.wrong
}

type objectBlob struct {
	*minio.Object
	size int64
}

// Size implements Blob.
func (o objectBlob) Size() int64 { return o.size }

// Open implements Store.
func (b *bucket) Open(ctx context.Context, key string) (Blob, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	object, err := b.client.GetObject(ctx, b.name, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, fmt.Errorf("open a blob: %w", err)
	}
	info, err := object.Stat()
	if err != nil {
		if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
			err = fmt.Errorf("%w: %s", ErrNotFound, key)
		}
		return nil, errors.Join(err, object.Close())
	}
	return objectBlob{object, info.Size}, nil
}

// Delete implements Store.
func (b *bucket) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := b.client.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("delete a blob: %w", err)
	}
	return nil
}

// List implements Store.
func (b *bucket) List(ctx context.Context, each func(key string, size int64) error) error {
	ctx, cancel := context.WithCancel(ctx) // ends the listing with this function
	defer cancel()
	for o := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("list blobs: %w", o.Err)
		}
		if err := each(o.Key, o.Size); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Check implements Store.
func (b *bucket) Check(ctx context.Context) error {
	exists, err := b.client.BucketExists(ctx, b.name)
	if err == nil && !exists {
		err = fmt.Errorf("bucket %s is gone", b.name)
	}
	return err
}
