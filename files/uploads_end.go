package files

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/tus/tusd/v2/pkg/handler"

	"fechatter/chat"
)

// finish makes a file of a complete upload.
func (u *Uploads) finish(hook handler.HookEvent) (handler.HTTPResponse, error) {
	f, err := u.keep(hook.Context, hook.Upload)
	if err != nil {
		return handler.HTTPResponse{}, tusError(err)
	}
	return handler.HTTPResponse{Header: handler.HTTPHeader{FileHeader: f.ID}}, nil
}

func (u *Uploads) keep(ctx context.Context, info handler.FileInfo) (f chat.File, err error) {
	bytes, err := os.Open(filepath.Join(u.folder, info.ID))
	if err != nil {
		return f, missing(err)
	}
	defer bytes.Close()
	f, err = u.library.Add(ctx, Upload{UserID: info.MetaData[uploaderKey], Name: info.MetaData["filename"], MediaType: info.MetaData["filetype"],
		Size: info.Size, Bytes: bytes})
	if err != nil {
		return f, err
	}
	note, err := json.Marshal(f)
	if err == nil {
		err = os.WriteFile(u.note(info.ID), note, 0o600)
	}
	if err != nil { // the file is there all the same; who asks again gets another
		slog.Warn("note what an upload has become", "error", err)
		return f, nil
	}
	return f, os.Truncate(bytes.Name(), 0) // its note answers from here on
}

func (u *Uploads) note(id string) string { return filepath.Join(u.folder, id+".file") }

// done returns what an upload has become.
func (u *Uploads) done(id string) (f chat.File, err error) {
	note, err := os.ReadFile(u.note(id))
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(note, &f)
}

func answerDone(w http.ResponseWriter, r *http.Request, size int64, f chat.File) error {
	h := w.Header()
	h.Set("Upload-Offset", strconv.FormatInt(size, 10))
	h.Set("Upload-Length", strconv.FormatInt(size, 10))
	h.Set(FileHeader, f.ID)
	if r.Method == http.MethodPatch {
		w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

// tusError is an error as the protocol tells it.
func tusError(err error) error {
	var e *chat.Error
	if !errors.As(err, &e) {
		return err
	}
	status := map[chat.Code]int{chat.BadRequest: http.StatusBadRequest, chat.TooLarge: http.StatusRequestEntityTooLarge, chat.NotFound: http.StatusNotFound}[e.Code]
	if status == 0 {
		status = http.StatusServiceUnavailable
	}
	return handler.NewError(string(e.Code), e.Detail, status)
}
