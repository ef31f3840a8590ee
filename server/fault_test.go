package server

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"fechatter/chat"
)

// The log gets what the client does not learn of a fault: once, with the cause. The
// client's own mistakes are not logged.
func TestFaultsOfCommandsAreLogged(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error // of the store; nil: it panics
		want string
	}{
		"a panic":      {nil, "level=ERROR msg=command op=auth"},
		"a fault":      {context.Canceled, "level=WARN msg=command op=auth"},
		"an outage":    {chat.Wrap(chat.Unavailable, context.Canceled, "away"), "level=WARN msg=command op=auth"},
		"a wrong word": {chat.Errorf(chat.NotFound, "there is no such session"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := lonely(t, sessions{byToken: func(context.Context) (chat.Session, error) {
					if tc.err == nil {
						panic("a bug")
					}
					return chat.Session{}, tc.err
				}})
				var log strings.Builder
				c.server.log = slog.New(slog.NewTextHandler(&log, nil))
				c.Message(true, []byte(`{"id":"1","op":"auth","d":{"token":"`+wellFormedToken+`"}}`))
				lines := strings.Count(log.String(), "\n")
				if tc.want == "" && lines > 0 || tc.want != "" && (lines != 1 || !strings.Contains(log.String(), tc.want)) {
					t.Errorf("logged %q", log.String())
				}
				if tc.err == nil && !strings.Contains(log.String(), "a bug") {
					t.Errorf("the cause is missing: %q", log.String())
				}
			})
		})
	}
}
