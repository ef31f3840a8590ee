package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"os"
	"strings"

	"fechatter/chat"
)

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
