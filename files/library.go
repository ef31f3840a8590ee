package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"strconv"
	"strings"
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

// Upload is a file that somebody brings.
type Upload struct {
	UserID, Name, MediaType string // as its owner calls it
	Size                    int64  // as announced, in bytes; -1 for unknown
	Bytes                   io.Reader
}

// prepared is an upload as it will be stored.
type prepared struct {
	chat.File
	bytes  *os.File
	thumbs map[int][]byte
}

// Add stores a file whole or not at all. Errors: bad_request, too_large, unavailable if the store
// cannot take it.
func (l *Library) Add(ctx context.Context, u Upload) (chat.File, error) {
	p := prepared{File: chat.File{ID: l.newID(), Name: chat.CleanFileName(u.Name), UploadedBy: u.UserID}}
	draft, err := l.draft()
	if err != nil {
		return chat.File{}, unavailable(err)
	}
	defer draft.Close()
	if err := l.receive(draft, u); err != nil {
		return chat.File{}, err
	}
	clean, err := l.draft()
	if err != nil {
		return chat.File{}, unavailable(err)
	}
	defer clean.Close()
	if p.bytes, err = l.look(ctx, &p, u, draft, clean); err != nil {
		return chat.File{}, unavailable(err)
	}
	return l.put(ctx, p)
}

// draft makes a file that goes with its last reader, also if the process is killed.
func (l *Library) draft() (*os.File, error) {
	draft, err := os.CreateTemp(l.spool, unfinished+"*")
	if err != nil {
		return nil, full(err)
	}
	if err := os.Remove(draft.Name()); err != nil {
		return nil, errors.Join(err, draft.Close())
	}
	return draft, nil
}

// receive writes what comes into a draft, and refuses more than one file may have.
func (l *Library) receive(draft *os.File, u Upload) error {
	most := l.limits.FileBytes
	n := u.Size
	if n <= most {
		var err error
		if n, err = io.Copy(draft, io.LimitReader(u.Bytes, most+1)); err != nil {
			if err = full(err); errors.Is(err, ErrFull) {
				return unavailable(err)
			}
			return chat.Wrap(chat.BadRequest, err, "the upload broke off")
		}
	}
	switch {
	case n > most:
		return TooLarge(most)
	case n == 0:
		return chat.Errorf(chat.BadRequest, "the file is empty")
	case u.Size >= 0 && n != u.Size:
		return chat.Errorf(chat.BadRequest, "%d bytes were announced, and %d came", u.Size, n)
	}
	return nil
}

// TooLarge is what somebody is told whose file is over the limit.
func TooLarge(most int64) error {
	return chat.Errorf(chat.TooLarge, "a file must be at most %d bytes", most)
}

// look finds out what a file is, and returns the bytes to store: a picture without its metadata,
// everything else as it came.
func (l *Library) look(ctx context.Context, p *prepared, u Upload, draft, clean *os.File) (*os.File, error) {
	head := make([]byte, SniffBytes)
	n, err := draft.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	sniffed := Sniff(head[:n])
	bytes := draft
	if Cleans(sniffed) {
		if bytes, sniffed, err = cleaned(sniffed, draft, clean); err != nil {
			return nil, err
		}
	}
	p.MediaType = mediaType(sniffed, u.MediaType)
	if _, err := bytes.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if Cleans(sniffed) {
		if err := l.shrink(ctx, p, bytes); err != nil {
			return nil, err
		}
	}
	return bytes, p.weigh(bytes)
}

// cleaned returns a picture without its metadata. One that is not built as its format says is none.
func cleaned(sniffed string, draft, clean *os.File) (*os.File, string, error) {
	if _, err := draft.Seek(0, io.SeekStart); err != nil {
		return nil, "", err
	}
	err := Clean(clean, draft, sniffed)
	if errors.Is(err, errMangled) {
		return draft, Unknown, nil
	}
	return clean, sniffed, full(err)
}

// shrink makes the thumbnails of a picture, if it is one that can be shown small.
func (l *Library) shrink(ctx context.Context, p *prepared, r io.ReadSeeker) error {
	p.thumbs = map[int][]byte{}
	picture, err := l.pictures.Thumbs(ctx, r, func(size int, write func(io.Writer) error) error {
		var b bytes.Buffer
		err := write(&b)
		p.thumbs[size] = b.Bytes()
		return err
	})
	p.Width, p.Height, p.Thumb = picture.Width, picture.Height, err == nil
	if errors.Is(err, ErrPicture) {
		p.thumbs, err = nil, nil
	}
	return err
}

// weigh sums up the bytes of a file.
func (p *prepared) weigh(r io.ReadSeeker) (err error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sum := sha256.New()
	if p.Size, err = io.Copy(sum, r); err != nil {
		return err
	}
	p.SHA256 = hex.EncodeToString(sum.Sum(nil))
	_, err = r.Seek(0, io.SeekStart)
	return err
}

// mediaType is what content proves, or else what its owner says, unless that would be proved.
func mediaType(sniffed, said string) string {
	if sniffed != Unknown {
		return sniffed
	}
	said, _, err := mime.ParseMediaType(said)
	if err != nil || len(said) > 100 || !strings.Contains(said, "/") {
		return Unknown
	}
	switch chat.FileKind(said) {
	case "document":
		if said == "application/pdf" {
			return Unknown
		}
		return said
	case "image":
		if said == "image/svg+xml" || said == "image/heic" || said == "image/tiff" || said == "image/bmp" {
			return said
		}
	}
	return Unknown
}

// put notes a file, stores its bytes, and then lets it be seen: what is killed in between is swept.
func (l *Library) put(ctx context.Context, p prepared) (f chat.File, err error) {
	if p.CreatedAt, err = l.records.BeginFile(ctx, p.File, chat.FileKept, l.limits.UserStorageBytes); err != nil {
		return chat.File{}, err
	}
	if err := l.putBytes(ctx, p); err != nil {
		return chat.File{}, unavailable(errors.Join(err, l.remove(context.WithoutCancel(ctx), p.ID)))
	}
	return p.File, l.records.FinishFile(ctx, p.ID)
}

func (l *Library) putBytes(ctx context.Context, p prepared) error {
	for size, thumb := range p.thumbs {
		if err := l.store.Put(ctx, thumbKey(p.ID, size), bytes.NewReader(thumb), int64(len(thumb))); err != nil {
			return err
		}
	}
	return l.store.Put(ctx, p.ID, p.bytes, p.Size)
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
