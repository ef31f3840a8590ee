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

	"github.com/coder/websocket"
	"github.com/google/uuid"
)

// sessions is a store that knows sessions and the chats of their users, as the
// test says.
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

// silent waits for the end of ctx, as a store does whose database is silent.
func silent(ctx context.Context) error {
	<-ctx.Done()
	return chat.Wrap(chat.Unavailable, ctx.Err(), "the database did not answer in time")
}

// A client that cannot be welcomed in time is told to come back: left alone, it
// would wait on a connection that nobody works for.
func TestWelcomeThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, told := lonely(t, sessions{byToken: func(ctx context.Context) (chat.Session, error) {
			return chat.Session{}, silent(ctx)
		}})
		if c.welcomeByRequest(wellFormedToken) {
			t.Error("welcome")
		}
		if said := <-told; !strings.Contains(said, closing(closeTryLater)) {
			t.Errorf("told %q", said)
		}
	})
}

// Who says auth in time is not closed because the database is slow; who says
// nothing that holds until the time is up, is.
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
				c.read(websocket.MessageText, strings.NewReader(`{"id":"1","op":"auth","d":{"token":"`+wellFormedToken+`"}}`))
				if in := c.user() != ""; in != (tc.err == nil) {
					t.Errorf("authenticated %v", in)
				}
				c.socket.Close(closeRestart, "the end")
				if said := <-told; strings.Contains(said, closing(closeUnauthenticated)) != tc.late {
					t.Errorf("told %q", said)
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
			t.Errorf("told %q", said)
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

// closing is the begin of a close frame's payload.
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
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+v1+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+wellFormedToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, bufio.NewReader(res.Body)); err != nil {
		t.Errorf("the stream goes on: %v", err)
	}
}

// Those who do not say who they are leave places for the others, whether they bring
// no credential or one that does not hold; their places are free again when they are
// gone, or known.
func TestStrangersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, told := lonely(t, nil)
		s := c.server
		if !c.beStranger() || s.realtime.strangers.Load() != 1 {
			t.Fatalf("%d strangers", s.realtime.strangers.Load())
		}
		s.realtime.strangers.Add(maxStrangers - 1)
		door := func(header string) int {
			r := httptest.NewRequest(http.MethodGet, "/ws", nil)
			if header != "" {
				r.Header.Set("Authorization", header)
			}
			return serve(s.Handler(), r).Code
		}
		if code := door(""); code != http.StatusServiceUnavailable {
			t.Errorf("one more without a credential: %d", code)
		}
		if code := door("Bearer " + wellFormedToken); code != http.StatusUpgradeRequired {
			t.Errorf("with a credential: %d", code)
		}
		if other := (&connection{server: s}); other.beStranger() {
			t.Error("one more whose credential did not hold has time to say auth")
		}
		c.socket.CloseNow()
		<-told
		synctest.Wait()
		if n := s.realtime.strangers.Load(); n != maxStrangers-1 {
			t.Errorf("%d strangers when one has gone", n)
		}
		if code := door(""); code != http.StatusUpgradeRequired {
			t.Errorf("in the place that is free: %d", code)
		}
	})
}
