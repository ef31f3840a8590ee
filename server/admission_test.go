package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"fechatter/chat"
)

// When more resumes wait than the node can handle in seconds, further clients are
// refused at the upgrade; those that wait too long are sent away as well.
func TestReconnectStormIsHeldAtTheDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, answers := lonely(t, nil)
		c.session = chat.Session{UserID: "ada"}
		turns := c.server.realtime.resumes.all
		for range maxResumes {
			turns.all <- struct{}{} // taken, and never given back
		}
		door := func() *httptest.ResponseRecorder {
			return serve(c.server.Handler(), httptest.NewRequest(http.MethodGet, "/ws", nil))
		}
		if w := door(); w.Code != http.StatusUpgradeRequired {
			t.Errorf("without a storm: %d", w.Code)
		}
		turns.waiters.Add(maxWaitingResumes)
		if w := door(); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"code":"overloaded"`) || w.Header().Get("Retry-After") == "" {
			t.Errorf("in a storm: %d %s", w.Code, w.Body)
		}
		turns.waiters.Add(-maxWaitingResumes)
		c.Message(true, []byte(`{"id":"1","op":"resume"}`))
		got := <-answers // the bubble's time goes on when nothing else can
		if !strings.Contains(got, "try again later") || turns.waiting() != 0 {
			t.Errorf("after the wait: %q, and %d wait", got, turns.waiting())
		}
	})
}
