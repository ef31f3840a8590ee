package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

const notBuilt = `The page is not built into this binary.

Build it and start again:

    make build

or only the page, before go build:

    npm --prefix web ci
    npm --prefix web run build

The API under /api/v1 and the WebSocket at /ws work without it.
`

// policy allows what the built page needs and nothing else: scripts and styles
// are files of this server, nothing is inline, markup is never made from text
// but by the framework's own templates. Pictures that are not uploaded yet are blobs.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; " +
	"font-src 'self'; worker-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html fechatter-worker"

// file is one built file. packed is made when it is first asked for, so that a
// start costs nothing, and is nil when gzip saves nothing.
type file struct {
	plain       []byte
	packed      func() []byte
	contentType string
	immutable   bool
}

type handler struct {
	files map[string]file
}

// Handler serves the embedded page: index.html at / and at every path without a
// file extension, so that the page's own addresses can be reloaded; files by their
// names, the hashed ones cacheable for ever; 404 for the rest. Without a built page
// it answers 503 and says how to build one. Safe for concurrent use.
func Handler() http.Handler {
	files, built := Files()
	if !built {
		return http.HandlerFunc(sayNotBuilt)
	}
	return newHandler(files)
}

// newHandler reads all files into memory: the page is small, and the disk is not
// asked again. Files that cannot be read are left out.
func newHandler(files fs.FS) http.Handler {
	h := handler{files: map[string]file{}}
	_ = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir
		}
		if entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return nil
		}
		if data, err := fs.ReadFile(files, name); err == nil {
			h.files["/"+name] = newFile(name, data)
		}
		return nil
	})
	return h
}

func newFile(name string, data []byte) file {
	packed := sync.OnceValue(func() []byte {
		if packed := pack(data); len(packed) < len(data)*9/10 {
			return packed
		}
		return nil
	})
	return file{plain: data, packed: packed, contentType: contentType(name), immutable: strings.HasPrefix(name, "assets/")}
}

// contentType does not rely on the machine's own tables for what the page is made of.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	default:
		if known := mime.TypeByExtension(ext); known != "" {
			return known
		}
		return "application/octet-stream"
	}
}

func pack(data []byte) []byte {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return data
	}
	if _, err := w.Write(data); err != nil {
		return data
	}
	if err := w.Close(); err != nil {
		return data
	}
	return buf.Bytes()
}

// ServeHTTP implements http.Handler.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	protect(w.Header())
	f, ok := h.find(r.URL.Path)
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	send(w, r, f)
}

// find returns the file of a path, or the page for a path that names no file.
func (h handler) find(name string) (file, bool) {
	if path.Ext(name) == "" && !strings.HasPrefix(name, "/assets/") {
		name = "/index.html"
	}
	f, ok := h.files[name]
	return f, ok
}

func send(w http.ResponseWriter, r *http.Request, f file) {
	header, data := w.Header(), f.plain
	header.Set("Content-Type", f.contentType)
	header.Set("Vary", "Accept-Encoding")
	header.Set("Cache-Control", "no-cache")
	if f.immutable {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if acceptsGzip(r.Header) {
		if packed := f.packed(); packed != nil {
			header.Set("Content-Encoding", "gzip")
			data = packed
		}
	}
	header.Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method == http.MethodHead {
		return
	}
	// An error here is the client's going away; there is nobody left to tell.
	_, _ = w.Write(data)
}

// acceptsGzip reads Accept-Encoding as browsers write it; "gzip;q=0" refuses.
func acceptsGzip(header http.Header) bool {
	for part := range strings.SplitSeq(header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(name, "gzip") {
			q := strings.TrimSpace(params)
			return q != "q=0" && q != "q=0.0"
		}
	}
	return false
}

func protect(header http.Header) {
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
}

func sayNotBuilt(w http.ResponseWriter, _ *http.Request) {
	protect(w.Header())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, notBuilt)
}
