package server

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"fechatter/chat"
	"fechatter/door"
)

// bodyTimeout is how long a client may take to send a request body.
const bodyTimeout = 15 * time.Second

// guard checks before a handler runs what every route of its kind needs: who asks,
// whether they are within their limit, and whether the request can be read at all.
func (s *Server) guard(row route, body bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		c, err := s.identify(r, row.access)
		if err == nil && row.access.identified() {
			c.session, err = s.inNameOf(r, row.path, c)
		}
		if err == nil && row.access.identified() {
			err = s.rates.of(row.budget).charge(c.userID())
		}
		if err == nil {
			_, err = url.ParseQuery(r.URL.RawQuery)
			if err != nil {
				err = chat.Wrap(chat.BadRequest, err, "the query is malformed")
			}
		}
		if err == nil && body {
			err = s.readBody(w, r, s.bodyLimit(row))
		}
		if err != nil {
			s.noteRefusal(c, row.path, err)
			refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(withCaller(r.Context(), c)))
	})
}

func (s *Server) identify(r *http.Request, asks access) (caller, error) {
	at := s.client(r)
	c := caller{at: at, from: sourceOf(at), site: s.site(r)}
	if !asks.identified() {
		c.tokens, _ = credentials(r)
		c.device = deviceOf(r)
		return c, nil
	}
	session, token, err := s.authenticate(r)
	if err != nil {
		return c, err
	}
	c.session, c.token = session, token
	if session.Restricted && asks&unready == 0 {
		return c, mustSetUp()
	}
	door.Of(r.Context()).Known()
	if err := session.Admit(asks.scope()); err != nil {
		return c, err
	}
	if len(r.Header.Values("Authorization")) == 0 {
		c.cookie = token
	}
	return c, nil
}

// bodyLimit returns how large a body may be, in bytes.
func (s *Server) bodyLimit(row route) int {
	if row.path == adminPath+"/batch" {
		return max(batchBodyBytes, s.limits.FrameBytes)
	}
	return s.limits.FrameBytes
}

// readBody reads a JSON body into memory, within the limits of size, in bytes, and time.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, limit int) error {
	if r.ContentLength == 0 {
		return nil
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return newProblem(http.StatusUnsupportedMediaType, chat.BadRequest, "the body must be application/json")
	}
	data, err := s.readAll(w, r, limit)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	return nil
}

// readAll reads a body into memory, within the limits of size, in bytes, and time.
func (s *Server) readAll(w http.ResponseWriter, r *http.Request, limit int) ([]byte, error) {
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(bodyTimeout)) // only in tests has a connection no deadlines
	back := door.Of(r.Context()).Waits()
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(limit)))
	back()
	_ = deadline.SetReadDeadline(time.Time{})
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, chat.Errorf(chat.TooLarge, "the body must be at most %d bytes", limit)
	case err != nil:
		return nil, chat.Wrap(chat.BadRequest, err, "the body could not be read")
	}
	return data, nil
}

// dispatch serves the table; beyond it, problems where programs ask and the page elsewhere.
func (s *Server) dispatch(mux *http.ServeMux, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, odd := plainPath(forMux(r))
		h, pattern := mux.Handler(asked)
		switch {
		case pattern != "":
			noteRoute(r.Context(), pattern)
			mux.ServeHTTP(w, asked)
		case odd:
			s.unmatched(w, r, h, nil)
		default:
			s.unmatched(w, r, h, page)
		}
	})
}

// oddSegment stands for a segment of a path that the mux would not match: a replacement character,
// which is as little an id or an emoji.
const oddSegment = "%EF%BF%BD"

// plainPath returns a request for the same path, in which oddSegment replaces each segment that
// the mux takes for something else: an empty one, dots, and a slash, which is %2F. It would
// redirect such a request, or not match it; now the route answers what is wrong. odd reports
// whether there was an empty segment before the last, or dots: no page has such a path.
func plainPath(r *http.Request) (plain *http.Request, odd bool) {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	changed := false
	for i := 1; i < len(segments) && r.URL.Path != "/"; i++ {
		switch segments[i] {
		case "", ".", "..":
			odd = odd || segments[i] != "" || i+1 < len(segments)
		case "%2F", "%2f":
		default:
			continue
		}
		segments[i], changed = oddSegment, true
	}
	if !changed {
		return r, false
	}
	return withPath(r, strings.Join(segments, "/")), odd
}

// withPath returns the same request for another path, given as it is escaped.
func withPath(r *http.Request, path string) *http.Request {
	other := r.Clone(r.Context())
	other.URL.RawPath = path
	other.URL.Path, _ = url.PathUnescape(path) // what came escaped can be unescaped
	return other
}

// unmatched answers what no row matches. refusal is the mux's own handler for it.
func (s *Server) unmatched(w http.ResponseWriter, r *http.Request, refusal, page http.Handler) {
	answer := peek{header: http.Header{}}
	refusal.ServeHTTP(&answer, r)
	switch {
	case answer.status == http.StatusMethodNotAllowed:
		w.Header().Set("Allow", answer.header.Get("Allow"))
		refuse(w, r, newProblem(http.StatusMethodNotAllowed, chat.BadRequest, "this path does not support "+r.Method))
	case page == nil || isMachines(r.URL.Path):
		refuse(w, r, chat.Errorf(chat.NotFound, "there is nothing at this path"))
	default:
		noteRoute(r.Context(), "page")
		page.ServeHTTP(w, r)
	}
}

// isMachines reports whether a path belongs to what programs ask for, including the
// admin listener's: there the page would be a wrong answer with a good status.
func isMachines(p string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	return slices.Contains([]string{"api", "ws", "health", "livez", "readyz", "metrics", "debug"}, first)
}

// peek keeps an answer's status and header, and drops its body.
type peek struct {
	header http.Header
	status int
}

func (p *peek) Header() http.Header         { return p.header }
func (p *peek) WriteHeader(status int)      { p.status = status }
func (p *peek) Write(b []byte) (int, error) { return len(b), nil }
