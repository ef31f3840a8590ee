package chat_test

import (
	"context"
	"encoding/base64"
	"testing"
	"time"

	"fechatter/chat"
)

// oneSession is a store that holds one session, used two minutes ago.
type oneSession struct {
	chat.Store
	now   chat.Time
	touch error
	uses  int
}

func (s *oneSession) SessionByToken(context.Context, []byte) (chat.Session, chat.Time, error) {
	return chat.Session{ID: user(1), UserID: user(2), LastUsedAt: 0, ExpiresAt: chat.Time(0).Add(chat.SessionTTL)}, s.now, nil
}

func (s *oneSession) TouchSession(_ context.Context, id string, ttl time.Duration) (chat.Session, error) {
	s.uses++
	return chat.Session{ID: id, UserID: user(2), LastUsedAt: s.now, ExpiresAt: s.now.Add(ttl)}, s.touch
}

func TestUseOfASession(t *testing.T) {
	fault := func(c chat.Code) error { return chat.Errorf(c, "x") }
	for name, tc := range map[string]struct {
		after time.Duration // since the last use
		touch error         // of writing the use down
		want  chat.Code
		uses  int
	}{
		"a moment ago":                            {time.Second, nil, "", 0},
		"a while ago":                             {time.Minute, nil, "", 1},
		"just before it expires":                  {chat.SessionTTL - 1, nil, "", 1},
		"once it has expired":                     {chat.SessionTTL, nil, chat.Unauthenticated, 0},
		"revoked just now":                        {time.Hour, fault(chat.NotFound), chat.Unauthenticated, 1},
		"while the database accepts no writes":    {time.Hour, fault(chat.Unavailable), "", 1},
		"while the outcome of a write is unknown": {time.Hour, fault(chat.UnknownOutcome), "", 1},
		"after an internal error":                 {time.Hour, fault(chat.Internal), chat.Internal, 1},
	} {
		t.Run(name, func(t *testing.T) {
			store := &oneSession{now: chat.Time(0).Add(tc.after), touch: tc.touch}
			svc := chat.NewService(store, nil, nil, nil, chat.DefaultLimits())
			session, err := svc.Authenticate(t.Context(), base64.RawURLEncoding.EncodeToString(make([]byte, 32)))
			if got := chat.CodeOf(err); got != tc.want {
				t.Errorf("got %q (%v), want %q", got, err, tc.want)
			}
			if err == nil && session.UserID != user(2) {
				t.Errorf("the session is %+v", session)
			}
			if store.uses != tc.uses {
				t.Errorf("recorded %d times, want %d", store.uses, tc.uses)
			}
		})
	}
}
