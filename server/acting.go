package server

import (
	"net/http"
	"sync"
	"time"

	"fechatter/chat"
	"fechatter/security"
)

// userHeader names, by id or username, in whose name a key acts.
const userHeader = "Fechatter-User"

const (
	actingEvery = time.Hour // how often the audit log is told of the same
	maxActing   = 10_000    // things that a node remembers to have told
)

// acting remembers what the audit log was told of keys that act in the names of others. Its
// methods may be called concurrently.
type acting struct {
	mu   sync.Mutex
	told map[string]time.Time
}

func newActing() *acting { return &acting{told: map[string]time.Time{}} }

// isNews reports whether something was not told within actingEvery.
func (a *acting) isNews(what string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, known := a.told[what]
	return !known || now.Sub(at) >= actingEvery
}

func (a *acting) tell(what string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.told) >= maxActing {
		clear(a.told) // it is told once more
	}
	a.told[what] = now
}

// inNameOf returns the session in whose name a request acts: that of userHeader, if it has
// one. What changes something is in the audit log before it is done.
func (s *Server) inNameOf(r *http.Request, path string, c caller) (chat.Session, error) {
	names := r.Header.Values(userHeader)
	if len(names) == 0 {
		return c.session, nil
	}
	if len(names) > 1 {
		return c.session, chat.Errorf(chat.BadRequest, "%s names one user", userHeader)
	}
	as, err := s.chat.ActAs(r.Context(), c.session, names[0])
	if err != nil || isSafe(r.Method) {
		return as, err
	}
	what, now := r.Method+" "+path, time.Now()
	if about := as.ID + " " + as.UserID + " " + what; s.acting.isNews(about, now) {
		if err := s.chat.NoteActing(r.Context(), as, what); err != nil {
			return as, err
		}
		s.acting.tell(about, now)
	}
	s.note(c, security.Entry{Event: security.Acted, User: as.KeyOf, Subject: as.UserID, Detail: what})
	return as, nil
}

// refuseNames refuses userHeader where it would have to hold for as long as a connection does.
func refuseNames(r *http.Request) error {
	if len(r.Header.Values(userHeader)) > 0 {
		return chat.Errorf(chat.BadRequest, "%s works on requests, not on a stream of events", userHeader)
	}
	return nil
}
