package files

import (
	"bytes"
	"crypto/md5"  //nolint:gosec // of the protocol: it finds broken bytes, not forged ones
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"fechatter/chat"
	"github.com/tus/tusd/v2/pkg/handler"
)

var hashes = map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

func checksums() []string { return slices.Sorted(maps.Keys(hashes)) }

// statusChecksum is that of tus 1.0.0 for a part that came damaged.
const statusChecksum = 460

// checked waits for the whole part if the client says what it sums up to: a damaged part must not
// be kept, not even in part. The caller closes what is returned.
func (u *Uploads) checked(r *http.Request) (io.Closer, error) {
	said := r.Header.Get("Upload-Checksum")
	if said == "" || r.Body == nil {
		return io.NopCloser(nil), nil
	}
	name, text, _ := strings.Cut(said, " ")
	sum, err := base64.StdEncoding.DecodeString(text)
	if hashes[name] == nil || err != nil {
		return nil, chat.Errorf(chat.BadRequest, "Upload-Checksum must be one of %s, and the sum in base64", strings.Join(checksums(), ", "))
	}
	draft, err := u.library.draft()
	if err != nil {
		return nil, unavailable(err)
	}
	if err := u.receivePart(draft, r, hashes[name](), sum); err != nil {
		draft.Close()
		return nil, err
	}
	r.Body = io.NopCloser(draft)
	return draft, nil
}

func (u *Uploads) receivePart(draft *os.File, r *http.Request, to hash.Hash, sum []byte) error {
	most := u.library.limits.FileBytes
	n, err := io.Copy(io.MultiWriter(draft, to), io.LimitReader(r.Body, most+1))
	switch {
	case err != nil:
		return chat.Wrap(chat.BadRequest, err, "the upload broke off")
	case n > most:
		return TooLarge(most)
	case !bytes.Equal(to.Sum(nil), sum):
		return handler.NewError("checksum_mismatch", "the part came damaged: send it again", statusChecksum)
	}
	_, err = draft.Seek(0, io.SeekStart)
	return err
}
