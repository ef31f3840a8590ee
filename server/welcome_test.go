package server

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"

	"github.com/google/uuid"
)

// sessions is a store that knows sessions, and the chats of their users, as the test
// provides.
type sessions struct {
	chat.Store
	byToken func(context.Context) (chat.Session, error)
	chatIDs func(context.Context) ([]string, error)
}

func (s sessions) SessionByToken(ctx context.Context, _ []byte) (chat.Session, chat.Time, error) {
	session, err := s.byToken(ctx)
	return session, 0, err
}

func (s sessions) Account(ctx context.Context, _ string) (chat.Account, error) {
	return chat.Account{}, silent(ctx)
}

func (s sessions) Epoch(context.Context) (string, chat.Time, error) { return "e", 0, nil }

func (s sessions) ChatIDs(ctx context.Context, _ string) ([]string, error) { return s.chatIDs(ctx) }

// silent waits for the end of ctx, like a store whose database is silent.
func silent(ctx context.Context) error {
	<-ctx.Done()
	return chat.Wrap(chat.Unavailable, ctx.Err(), "the database did not answer in time")
}

// A client that cannot be welcomed in time is sent away to come back: left alone, it
// would wait on a connection that nobody serves.
func TestWelcomeThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, told := lonely(t, sessions{byToken: func(ctx context.Context) (chat.Session, error) {
			return chat.Session{}, silent(ctx)
		}})
		if c.welcomeByRequest(wellFormedToken) {
			t.Error("welcome")
		}
		if said := <-told; !strings.Contains(said, closing(closeTryLater)) {
			t.Errorf("the client got %q", said)
		}
	})
}

// A client that sends auth in time is not closed because the database is slow; one
// without a valid credential when the time is up is.
func TestAuthInTime(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		said time.Duration
		late bool
	}{
		"slowly accepted":      {nil, 4 * time.Second, false},
		"slowly refused":       {chat.Errorf(chat.NotFound, "there is no such session"), 4 * time.Second, true},
		"refused, time to try": {chat.Errorf(chat.NotFound, "there is no such session"), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, told := lonely(t, sessions{byToken: func(context.Context) (chat.Session, error) {
					time.Sleep(3 * time.Second)
					return chat.Session{ID: "s", UserID: uuid.NewString(), ExpiresAt: 1}, tc.err
				}})
				time.AfterFunc(authTimeout, c.authDue)
				time.Sleep(tc.said)
				c.Message(true, []byte(`{"id":"1","op":"auth","d":{"token":"`+wellFormedToken+`"}}`))
				if in := c.user() != ""; in != (tc.err == nil) {
					t.Errorf("authenticated %v", in)
				}
				c.socket.Close(closeRestart, "the end")
				if said := <-told; strings.Contains(said, closing(closeUnauthenticated)) != tc.late {
					t.Errorf("the client got %q", said)
				}
			})
		})
	}
}

func TestResumeThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, told := lonely(t, sessions{chatIDs: func(ctx context.Context) ([]string, error) { return nil, silent(ctx) }})
		began := time.Now()
		c.do(func(ctx context.Context) { c.resume(ctx, resumePayload{}, nil) })
		if said := <-told; !strings.Contains(said, closing(closeTryLater)) {
			t.Errorf("the client got %q", said)
		}
		if took := time.Since(began); took > 2*resumeTimeout {
			t.Errorf("after %s", took)
		}
	})
}

func TestRequestThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := over(t, sessions{byToken: func(context.Context) (chat.Session, error) {
			return chat.Session{ID: "s", UserID: uuid.NewString(), ExpiresAt: 1}, nil
		}})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req := httptest.NewRequestWithContext(ctx, http.MethodGet, v1+"/me", nil)
		req.Header.Set("Authorization", "Bearer "+wellFormedToken)
		answer := httptest.NewRecorder()
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			s.Handler().ServeHTTP(answer, req)
		}()
		select {
		case <-answered:
		case <-time.After(time.Minute):
			t.Fatal("no answer in a minute")
		}
		if answer.Code != http.StatusServiceUnavailable {
			t.Errorf("answered %d", answer.Code)
		}
	})
}

// closing is the start of a close frame's payload.
func closing(code uint16) string { return string([]byte{byte(code >> 8), byte(code)}) }

// A stream whose session ends between its two checks ends as well.
func TestSessionThatEndsWhileAStreamBegins(t *testing.T) {
	checks := 0
	url := listen(t, over(t, sessions{byToken: func(context.Context) (chat.Session, error) {
		if checks++; checks == 1 {
			return chat.Session{ID: "s", UserID: uuid.NewString(), ExpiresAt: 1}, nil
		}
		return chat.Session{}, chat.Errorf(chat.NotFound, "there is no such session")
	}}))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+v1+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+wellFormedToken)
	alone := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := alone.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, bufio.NewReader(res.Body)); err != nil {
		t.Errorf("the stream goes on: %v", err)
	}
}
