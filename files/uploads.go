package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/tus/tusd/v2/pkg/filelocker"
	"github.com/tus/tusd/v2/pkg/filestore"
	"github.com/tus/tusd/v2/pkg/handler"
	tuslog "golang.org/x/exp/slog"

	"fechatter/chat"
)

const (
	// UploadsPath is where uploads in parts are made (tus 1.0.0).
	UploadsPath = "/api/v1/uploads"
	// FileHeader tells which file an upload has become.
	FileHeader = "Fechatter-File"
	// uploadLasts is how long an upload in parts may take.
	uploadLasts = 24 * time.Hour
	// partTimeout is how long a client may be silent in the middle of a part.
	partTimeout = time.Minute

	tusVersion    = "1.0.0"
	tusExtensions = "creation,creation-with-upload,expiration,checksum,termination"
	uploaderKey   = "fechatter-uploader"
)

// Uploads takes files in parts, by tus 1.0.0. What has come is kept in a folder: whoever shares the
// folder can go on with it, after a restart as well. It is safe for concurrent use.
type Uploads struct {
	folder  string
	library *Library
	tus     *handler.UnroutedHandler
	store   filestore.FileStore
}

// NewUploads returns one that keeps what has come in a folder, which it makes.
func NewUploads(folder string, library *Library) (*Uploads, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of uploads: %w", err)
	}
	u := &Uploads{folder: folder, library: library, store: filestore.New(folder)}
	u.store.DirModePerm, u.store.FileModePerm = 0o700, 0o600
	parts := handler.NewStoreComposer()
	u.store.UseIn(parts)
	filelocker.New(folder).UseIn(parts)
	var err error
	u.tus, err = handler.NewUnroutedHandler(handler.Config{
		StoreComposer: parts, BasePath: UploadsPath, MaxSize: library.limits.FileBytes, DisableDownload: true, DisableConcatenation: true,
		Cors: &handler.CorsConfig{Disable: true}, Logger: tuslog.New(tuslog.NewTextHandler(io.Discard, nil)), NetworkTimeout: partTimeout,
		PreFinishResponseCallback: u.finish,
	})
	return u, err
}

// Serve answers a request of a user to UploadsPath, or below it with the id of an upload. refuse
// answers with an error.
func (u *Uploads) Serve(w http.ResponseWriter, r *http.Request, userID, id string, refuse func(error)) {
	h := w.Header()
	h.Set("Tus-Resumable", tusVersion)
	if r.Header.Get("Tus-Resumable") != tusVersion {
		h.Set("Tus-Version", tusVersion)
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	r = r.Clone(r.Context())
	r.URL.Path = id // as tusd wants it
	err := u.serve(placed{w}, r, userID, id)
	if damaged, ok := errors.AsType[handler.Error](err); ok {
		w.WriteHeader(damaged.HTTPResponse.StatusCode)
	} else if err != nil {
		refuse(err)
	}
}

// Describe answers what this server can do.
func (u *Uploads) Describe(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Tus-Resumable", tusVersion)
	h.Set("Tus-Version", tusVersion)
	h.Set("Tus-Extension", tusExtensions)
	h.Set("Tus-Checksum-Algorithm", strings.Join(checksums(), ","))
	h.Set("Tus-Max-Size", strconv.FormatInt(u.library.limits.FileBytes, 10))
	w.WriteHeader(http.StatusNoContent)
}

func (u *Uploads) serve(w http.ResponseWriter, r *http.Request, userID, id string) error {
	var expires time.Time
	if id == "" {
		if err := u.admit(r, userID); err != nil {
			return err
		}
		expires = time.Now().Add(uploadLasts)
	} else {
		info, began, err := u.find(r.Context(), userID, id)
		if err != nil {
			return err
		}
		if done, err := u.done(id); err == nil && r.Method != http.MethodDelete {
			return answerDone(w, r, info.Size, done)
		}
		expires = began.Add(uploadLasts)
	}
	w.Header().Set("Upload-Expires", expires.UTC().Format(http.TimeFormat))
	// tusd takes the whole path for the id.
	r = r.Clone(r.Context())
	r.URL.Path = "/" + id
	part, err := u.checked(r)
	if err != nil {
		return err
	}
	defer part.Close()
	switch r.Method {
	case http.MethodPost:
		u.tus.PostFile(w, r)
	case http.MethodHead:
		return u.head(w, r, id)
	case http.MethodPatch:
		u.tus.PatchFile(w, r)
	case http.MethodDelete:
		u.tus.DelFile(w, r)
	}
	return nil
}

// admit refuses uploads that would be refused in the end, and notes whose it is.
func (u *Uploads) admit(r *http.Request, userID string) error {
	size, err := strconv.ParseInt(r.Header.Get("Upload-Length"), 10, 64)
	switch {
	case err != nil || size < 0:
		return chat.Errorf(chat.BadRequest, "Upload-Length must say how many bytes the file has")
	case size == 0:
		return chat.Errorf(chat.BadRequest, "the file is empty")
	case size > u.library.limits.FileBytes:
		return TooLarge(u.library.limits.FileBytes)
	case r.Header.Get("Upload-Concat") != "":
		return chat.Errorf(chat.BadRequest, "uploads cannot be joined")
	}
	known := handler.ParseMetadataHeader(r.Header.Get("Upload-Metadata"))
	for name := range known {
		if name != "filename" && name != "filetype" {
			delete(known, name)
		}
	}
	known["filename"], known[uploaderKey] = chat.CleanFileName(known["filename"]), userID
	r.Header.Set("Upload-Metadata", handler.SerializeMetadataHeader(known))
	return nil
}

// find returns an upload of a user, and when it began.
func (u *Uploads) find(ctx context.Context, userID, id string) (info handler.FileInfo, began time.Time, err error) {
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return info, began, noUpload()
	}
	stat, err := os.Stat(filepath.Join(u.folder, id+".info"))
	if err != nil {
		return info, began, missing(err)
	}
	upload, err := u.store.GetUpload(ctx, id)
	if err == nil {
		info, err = upload.GetInfo(ctx)
	}
	if err != nil {
		return info, began, missing(err)
	}
	began = stat.ModTime()
	if info.MetaData[uploaderKey] != userID || time.Since(began) > uploadLasts {
		return info, began, noUpload()
	}
	return info, began, nil
}

func noUpload() error {
	return chat.Errorf(chat.NotFound, "no such upload, or it was given up: begin anew")
}

func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, handler.ErrNotFound) {
		return noUpload()
	}
	return unavailable(err)
}

// head tells how far an upload is. One that is complete, and of which nobody could be told what it
// has become, is made a file now.
func (u *Uploads) head(w http.ResponseWriter, r *http.Request, id string) error {
	upload, err := u.store.GetUpload(r.Context(), id)
	if err != nil {
		return missing(err)
	}
	info, err := upload.GetInfo(r.Context())
	if err != nil {
		return missing(err)
	}
	if info.Offset < info.Size {
		u.tus.HeadFile(w, r)
		return nil
	}
	f, err := u.keep(r.Context(), info)
	if err != nil {
		return err
	}
	return answerDone(w, r, info.Size, f)
}

// Sweep deletes uploads that have taken too long, and notes of those that are complete.
func (u *Uploads) Sweep() error {
	all, err := os.ReadDir(u.folder)
	if err != nil {
		return fmt.Errorf("look for old uploads: %w", err)
	}
	var failed error
	for _, entry := range all {
		info, err := entry.Info()
		if err != nil || entry.IsDir() || time.Since(info.ModTime()) < 2*uploadLasts {
			continue
		}
		if err := os.Remove(filepath.Join(u.folder, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// placed writes where an upload is as a path: its host and scheme are known to the client, and
// behind a proxy to nobody else.
type placed struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (p placed) WriteHeader(status int) {
	if place := p.Header().Get("Location"); place != "" {
		p.Header().Set("Location", UploadsPath+place[strings.LastIndexByte(place, '/'):])
	}
	p.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (p placed) Unwrap() http.ResponseWriter { return p.ResponseWriter }
