package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/hub"

	"github.com/google/uuid"
)

// noMember is a store in which the user is in no chat.
type noMember struct{ chat.Store }

func (noMember) Entry(context.Context, string, string) (chat.Entry, error) {
	return chat.Entry{}, chat.Errorf(chat.NotFound, "there is no such chat")
}

func (noMember) BlockedIDs(context.Context, string) ([]string, error) { return nil, nil }

func (noMember) ChatIDs(context.Context, string) ([]string, error) { return nil, nil }

func (noMember) TouchSession(context.Context, string, time.Duration) (chat.Session, error) {
	return chat.Session{}, nil
}

// former returns a resumed connection that is attached to a chat whose former member
// its user is. told closes it and returns what its client was sent.
func former(t *testing.T) (c *connection, chatID string, told func() string) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	h := hub.New(hub.Config{CloseTimeout: 100 * time.Millisecond}, void{}, void{}, log)
	s, err := New(Config{Limits: DefaultLimits()}, Deps{
		Chat: chat.NewService(noMember{}, nil, nil, nil, chat.DefaultLimits()), Hub: h, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	ours, theirs := net.Pipe()
	chatID = uuid.NewString()
	c = &connection{server: s, session: chat.Session{ID: "s", UserID: uuid.NewString()}, resumed: true}
	c.socket = h.Register(h.NewWire(ours, nil), hub.WebSocket, c.session.UserID, c)
	c.places.set(place{chatID: chatID, added: 2, attached: true})
	seen := make(chan string, 1)
	go func() {
		all, _ := io.ReadAll(theirs) // it ends with the connection, however that does
		seen <- string(all)
	}()
	return c, chatID, func() string {
		c.socket.Close(1000, "")
		select {
		case text := <-seen:
			return text
		case <-time.After(time.Minute):
			t.Fatal("the connection does not end")
			return ""
		}
	}
}

// A removal is sent once, in whatever order the user's own stream and the end of the
// chat's stream come.
func TestRemovalHeardBeforeReset(t *testing.T) {
	for name, order := range map[string][]string{"left first": {"left", "reset"}, "reset first": {"reset", "left"}} {
		t.Run(name, func(t *testing.T) {
			c, id, told := former(t)
			for _, step := range order {
				if step == "left" {
					c.left(id, 9)
				} else {
					c.reset(t.Context(), id, hub.ReasonTooFar)
				}
			}
			text := told()
			if n := strings.Count(text, `"op":"chat.left"`); n != 1 || !strings.Contains(text, `"seq":9`) {
				t.Errorf("the client got %q", text)
			}
			if len(c.places) > 0 {
				t.Errorf("still at %+v", c.places)
			}
		})
	}
}

// A client that holds a chat that no frame can take from it is sent away, to resume.
func TestChatWithoutARemoval(t *testing.T) {
	for name, what := range map[string]func(*connection, string) error{
		"another history": func(c *connection, id string) error { c.reset(t.Context(), id, hub.ReasonEpoch); return nil },
		"own stream lost": func(c *connection, _ string) error {
			release, err := c.server.hub.Open(t.Context(), c.user())
			if err != nil {
				return err
			}
			defer release()
			return c.reattachPersonal(t.Context())
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, told := former(t)
			if err := what(c, c.places[0].chatID); err != nil {
				t.Fatal(err)
			}
			const close1013 = "\x88\x11\x03\xf5try again later"
			if text := told(); !strings.Contains(text, close1013) {
				t.Errorf("the client got %q", text)
			}
		})
	}
}
