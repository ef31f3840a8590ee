package server

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
	"fechatter/door"
	"fechatter/files"
)

// Files keeps the bytes of files. *files.Library implements it.
type Files interface {
	Add(ctx context.Context, u files.Upload) (chat.File, error)
	Content(ctx context.Context, f chat.File) (files.Blob, error)
	Thumb(ctx context.Context, f chat.File, size int) (files.Blob, error)
}

// Uploads takes files in parts. *files.Uploads implements it.
type Uploads interface {
	Serve(w http.ResponseWriter, r *http.Request, userID, id string, refuse func(error))
	Describe(w http.ResponseWriter)
}

// noFiles is a server without a store for them.
type noFiles struct{}

var errNoFiles = chat.Errorf(chat.NotFound, "this server keeps no files")

func (noFiles) Add(context.Context, files.Upload) (chat.File, error)      { return chat.File{}, errNoFiles }
func (noFiles) Content(context.Context, chat.File) (files.Blob, error)    { return nil, errNoFiles }
func (noFiles) Thumb(context.Context, chat.File, int) (files.Blob, error) { return nil, errNoFiles }
func (noFiles) Describe(w http.ResponseWriter)                            { w.WriteHeader(http.StatusNoContent) }
func (noFiles) Serve(_ http.ResponseWriter, _ *http.Request, _, _ string, refuse func(error)) {
	refuse(errNoFiles)
}

const (
	// postedFileBytes bounds files that come in one request.
	postedFileBytes = 8 << 20
	// silence is how long a client may neither send nor take bytes of a file.
	silence = 30 * time.Second
	// uploadTimeout bounds what is done with a file that has come.
	uploadTimeout = 2 * time.Minute
)

// postFile is POST /files?name=: the bytes of one file.
func (s *Server) postFile(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), uploadTimeout)
	defer cancel()
	back := door.Of(r.Context()).Waits()
	f, err := s.files.Add(ctx, files.Upload{UserID: callerOf(ctx).userID(), Name: r.URL.Query().Get("name"), MediaType: r.Header.Get("Content-Type"),
		Size: r.ContentLength, Bytes: io.LimitReader(paced(w, r.Body), postedFileBytes+1)})
	back()
	if err == nil && r.ContentLength > postedFileBytes || f.Size > postedFileBytes {
		err = files.TooLarge(postedFileBytes)
	}
	if err != nil {
		s.refuseFile(w, r, err)
		return
	}
	answer, err := encode(f)
	if err != nil {
		s.refuseFile(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	// An error here means that the client has gone; nobody is left to tell.
	_, _ = w.Write(answer)
}

func (s *Server) refuseFile(w http.ResponseWriter, r *http.Request, err error) {
	s.noteRefusal(callerOf(r.Context()), v1+"/files", err)
	refuse(w, r, err)
}

// pacedReader gives up on a client that sends nothing for a while, instead of on one that needs
// long in all; and what is answered in the end has time, however long it took.
type pacedReader struct {
	connection *http.ResponseController
	io.Reader
	io.Closer
}

func paced(w http.ResponseWriter, body io.ReadCloser) *pacedReader {
	return &pacedReader{http.NewResponseController(w), body, body}
}

// Read implements io.Reader.
func (p *pacedReader) Read(b []byte) (int, error) {
	now := time.Now()
	_ = p.connection.SetReadDeadline(now.Add(silence)) // only in tests has a connection no deadlines
	_ = p.connection.SetWriteDeadline(now.Add(silence + uploadTimeout))
	return p.Reader.Read(b)
}

// pacedWriter gives up on a client that takes nothing for a while.
type pacedWriter struct {
	http.ResponseWriter
	connection *http.ResponseController
}

// Write implements io.Writer.
func (p *pacedWriter) Write(b []byte) (int, error) {
	_ = p.connection.SetWriteDeadline(time.Now().Add(silence)) // only in tests has a connection no deadlines
	return p.ResponseWriter.Write(b)
}

type fileOutput struct{ Body chat.File }

func (s *Server) getFile(ctx context.Context, in *IDInput) (*fileOutput, error) {
	f, err := s.chat.File(ctx, callerOf(ctx).userID(), in.ID)
	return &fileOutput{f}, err
}

// getContent is GET /files/{id}/content.
func (s *Server) getContent(w http.ResponseWriter, r *http.Request) {
	f, blob, err := s.openFile(r, s.files.Content)
	if err != nil {
		s.refuseFile(w, r, err)
		return
	}
	defer blob.Close()
	kind, way := f.MediaType, "inline"
	if !slices.Contains(inline, kind) {
		kind, way = files.Unknown, "attachment"
	}
	serveBlob(w, r, blob, kind, way+"; "+fileName(f.Name), `"`+f.SHA256+`"`)
}

// inline are the media types that browsers show. Of a file they are proved by its content.
var inline = []string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "video/mp4", "video/webm",
	"audio/mpeg", "audio/ogg", "audio/wav", "application/pdf"}

// getThumb is GET /files/{id}/thumb?size=.
func (s *Server) getThumb(w http.ResponseWriter, r *http.Request) {
	size, _ := strconv.Atoi(r.URL.Query().Get("size"))
	f, blob, err := s.openFile(r, func(ctx context.Context, f chat.File) (files.Blob, error) {
		if !slices.Contains(files.Sizes, size) {
			return nil, chat.Errorf(chat.BadRequest, "size must be 160, 480 or 1280")
		}
		return s.files.Thumb(ctx, f, size)
	})
	if err != nil {
		s.refuseFile(w, r, err)
		return
	}
	defer blob.Close()
	serveBlob(w, r, blob, "image/jpeg", "inline", `"`+f.SHA256+"-"+strconv.Itoa(size)+`"`)
}

// openFile opens what the caller may see of a file.
func (s *Server) openFile(r *http.Request, open func(context.Context, chat.File) (files.Blob, error)) (chat.File, files.Blob, error) {
	ctx, cancel := context.WithTimeout(r.Context(), commandTimeout)
	f, err := s.chat.File(ctx, callerOf(ctx).userID(), r.PathValue("id"))
	cancel()
	if err != nil {
		return f, nil, err
	}
	blob, err := open(r.Context(), f) // whose reads end with the request
	return f, blob, err
}

// serveBlob answers with bytes, or a range of them. Nothing in them can act in the name of this
// origin, whatever they are.
func serveBlob(w http.ResponseWriter, r *http.Request, blob files.Blob, kind, disposition, tag string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", disposition)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("ETag", tag)
	http.ServeContent(&pacedWriter{w, http.NewResponseController(w)}, r, "", time.Time{}, blob)
}

// fileName is the parameter of Content-Disposition for a name (RFC 6266, RFC 8187).
func fileName(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\%`, r) {
			return '_'
		}
		return r
	}, name)
	return `filename="` + plain + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

type chatFilesInput struct {
	IDInput
	BeforeSeq int64  `query:"before_seq" doc:"only files of messages before this seq"`
	Type      string `query:"type" doc:"image, video, audio or document"`
	Limit     int    `query:"limit" default:"50" minimum:"1" maximum:"100"`
}

type chatFilesOutput struct {
	Body struct {
		Files []chat.ChatFile `json:"files"`
		Next  string          `json:"next,omitempty" doc:"the before_seq of the next page"`
	}
}

func (s *Server) listChatFiles(ctx context.Context, in *chatFilesInput) (*chatFilesOutput, error) {
	found, more, err := s.chat.ChatFiles(ctx, callerOf(ctx).userID(), in.ID, chat.FileQuery{Before: in.BeforeSeq, Kind: in.Type, Limit: in.Limit})
	out := &chatFilesOutput{}
	out.Body.Files = list(found)
	if more {
		out.Body.Next = strconv.FormatInt(found[len(found)-1].Seq, 10)
	}
	return out, err
}

// serveUpload is everything at /uploads.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	back := door.Of(r.Context()).Waits()
	defer back()
	r.Body = paced(w, r.Body)
	s.uploads.Serve(w, r, callerOf(r.Context()).userID(), r.PathValue("id"), func(err error) { s.refuseFile(w, r, err) })
}

func (s *Server) describeUploads(w http.ResponseWriter, _ *http.Request) { s.uploads.Describe(w) }

// ofBytes binds a handler whose requests or answers are bytes, which the document lists.
func ofBytes(h http.HandlerFunc, query ...string) binding {
	return func(b *builder, r route) {
		plain(h)(b, r)
		op := b.operation(r)
		raw := map[string]*huma.MediaType{mime.FormatMediaType(files.Unknown, nil): {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
		for _, name := range query {
			op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "query", Schema: &huma.Schema{Type: huma.TypeString}})
		}
		if strings.Contains(r.path, "{id}") {
			op.Parameters = append(op.Parameters, &huma.Param{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
		}
		switch r.method {
		case http.MethodGet:
			op.Responses["200"] = &huma.Response{Description: "the bytes", Content: raw}
		case http.MethodPost, http.MethodPatch:
			op.RequestBody = &huma.RequestBody{Content: raw}
		}
		b.api.OpenAPI().AddOperation(&op)
	}
}

// fileRoutes are how files come and go.
func (s *Server) fileRoutes() []route {
	return []route{
		{"POST", v1 + "/files", forSend, ofRequests, ofBytes(s.postFile, "name"), "Upload a file of at most 8 MiB", 201},
		{"GET", v1 + "/files/{id}", forRead, ofRequests, typed(s.getFile), "Get what is known of a file", 0},
		{"GET", v1 + "/files/{id}/content", forRead, ofRequests, ofBytes(s.getContent), "Get the bytes of a file, or a range of them", 0},
		{"GET", v1 + "/files/{id}/thumb", forRead, ofRequests, ofBytes(s.getThumb, "size"), "Get a picture of at most 160, 480 or 1280 pixels in either direction", 0},
		{"GET", v1 + "/chats/{id}/files", forRead, ofRequests, typed(s.listChatFiles), "List the files of a chat, newest first", 0},
		{"OPTIONS", files.UploadsPath, anyone, unlimited, ofBytes(s.describeUploads), "What uploads in parts can do", 0},
		{"POST", files.UploadsPath, forSend, ofRequests, ofBytes(s.serveUpload), "Begin an upload in parts (tus 1.0.0)", 201},
		{"HEAD", files.UploadsPath + "/{id}", forSend, ofRequests, ofBytes(s.serveUpload), "How far an upload is", 0},
		{"PATCH", files.UploadsPath + "/{id}", forSend, ofRequests, ofBytes(s.serveUpload), "Go on with an upload", 0},
		{"DELETE", files.UploadsPath + "/{id}", forSend, ofRequests, ofBytes(s.serveUpload), "Give up an upload", 0},
	}
}
