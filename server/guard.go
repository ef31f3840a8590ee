package server

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"fechatter/chat"
)

// bodyTimeout is how long a client may take to send a request body.
const bodyTimeout = 15 * time.Second

// guard does before a handler what every route of its kind needs: who asks,
// whether they may ask so much, and whether what they sent can be read at all.
func (s *Server) guard(asks access, body bool, budget *limiter, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		c, err := s.identify(r, asks)
		if err == nil && asks == signedIn {
			err = budget.charge(c.userID())
		}
		if err == nil {
			_, err = url.ParseQuery(r.URL.RawQuery)
			if err != nil {
				err = chat.Wrap(chat.BadRequest, err, "the query is not well formed")
			}
		}
		if err == nil && body {
			err = s.readBody(w, r)
		}
		if err != nil {
			refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(withCaller(r.Context(), c)))
	})
}

func (s *Server) identify(r *http.Request, asks access) (caller, error) {
	c := caller{address: s.clientAddress(r)}
	if asks != signedIn {
		return c, nil
	}
	session, err := s.authenticate(r)
	if err != nil {
		return c, err
	}
	c.session = session
	if cookie, err := r.Cookie(sessionCookie); err == nil && r.Header.Get("Authorization") == "" {
		c.cookie = cookie.Value
	}
	return c, nil
}

// readBody reads a JSON body into memory, within the limits of size and time.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) error {
	if r.ContentLength == 0 {
		return nil
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return newProblem(http.StatusUnsupportedMediaType, chat.BadRequest, "the body must be application/json")
	}
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(bodyTimeout)) // a connection without deadlines is the test's own
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.limits.FrameBytes)))
	_ = deadline.SetReadDeadline(time.Time{})
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return chat.Errorf(chat.TooLarge, "the body must be at most %d bytes", s.limits.FrameBytes)
	case err != nil:
		return chat.Wrap(chat.BadRequest, err, "the body could not be read")
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	return nil
}

// dispatch serves the table; beside it, problems where programs ask and the page elsewhere.
func (s *Server) dispatch(mux *http.ServeMux, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		clean := isClean(r.URL.EscapedPath())
		switch {
		case pattern != "" && clean:
			noteRoute(r.Context(), pattern)
			mux.ServeHTTP(w, r)
		case !clean:
			refuse(w, r, chat.Errorf(chat.NotFound, "there is nothing at this path"))
		default:
			s.unmatched(w, r, h, page)
		}
	})
}

// unmatched answers what no row matches. refusal is the mux's own answer.
func (s *Server) unmatched(w http.ResponseWriter, r *http.Request, refusal, page http.Handler) {
	answer := peek{header: http.Header{}}
	refusal.ServeHTTP(&answer, r)
	switch {
	case answer.status == http.StatusMethodNotAllowed:
		w.Header().Set("Allow", answer.header.Get("Allow"))
		refuse(w, r, newProblem(http.StatusMethodNotAllowed, chat.BadRequest, "this path does not take "+r.Method))
	case page == nil || isMachines(r.URL.Path):
		refuse(w, r, chat.Errorf(chat.NotFound, "there is nothing at this path"))
	default:
		noteRoute(r.Context(), "page")
		page.ServeHTTP(w, r)
	}
}

// isMachines says whether a path is under what programs ask for, the admin listener's
// included: there the page would be a wrong answer with a good status.
func isMachines(p string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	return slices.Contains([]string{"api", "ws", "health", "livez", "readyz", "metrics", "debug"}, first)
}

// peek takes an answer's status and header and drops its body.
type peek struct {
	header http.Header
	status int
}

func (p *peek) Header() http.Header         { return p.header }
func (p *peek) WriteHeader(status int)      { p.status = status }
func (p *peek) Write(b []byte) (int, error) { return len(b), nil }

// isClean says whether a path has no empty and no dot segments: the mux would
// redirect such a request, and a client that follows would repeat it elsewhere.
func isClean(p string) bool {
	return p == "" || strings.TrimSuffix(p, "/") == strings.TrimSuffix(path.Clean(p), "/") && !strings.HasSuffix(p, "//")
}
