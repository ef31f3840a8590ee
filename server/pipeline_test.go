package server

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// enqueued is a store whose commits end when the test says.
type enqueued struct {
	chat.Store

	mu    sync.Mutex
	keys  []string
	dones []func(chat.Sent, error)
	over  bool
}

func (s *enqueued) Enqueue(m chat.Send, done func(chat.Sent, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		done(chat.Sent{}, chat.Errorf(chat.Unavailable, "the test is over"))
		return
	}
	s.keys = append(s.keys, m.Key)
	var once sync.Once
	s.dones = append(s.dones, func(sent chat.Sent, err error) { once.Do(func() { done(sent, err) }) })
}

// Usage implements chat.UsageStore for somebody who has stored nothing yet.
func (s *enqueued) Usage(context.Context, string) (chat.Usage, chat.Time, error) {
	return chat.Usage{}, 0, nil
}

// AddUsage implements chat.UsageStore.
func (s *enqueued) AddUsage(context.Context, []chat.Usage) ([]chat.Usage, error) { return nil, nil }

// end gives every send an outcome, those to come too, so that a test that fails ends as well.
func (s *enqueued) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	for _, done := range s.dones {
		done(chat.Sent{}, chat.Errorf(chat.Unavailable, "the test is over"))
	}
}

// got returns the keys of the sends so far.
func (s *enqueued) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.keys)
}

const (
	someChat = "0193d4a0-0000-7000-8000-000000000001"
	someUser = "0193d4a0-0000-7000-8000-000000000002"
)

// piped runs test with a connection of somebody to a store whose commits the test ends, and
// returns the ids of the answers, and their ops, in order.
func piped(t *testing.T, test func(c *connection, s *enqueued)) (answers []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &enqueued{}
		c, told := lonely(t, s, func(d *Deps) {
			newID := func() string { return someUser }
			d.Chat = chat.NewService(s, nil, newID, nil, chat.DefaultLimits())
		})
		c.session = chat.Session{ID: "s", UserID: someUser}
		c.server.rates.sends = nil
		test(c, s)
		synctest.Wait()
		s.end()
		synctest.Wait()
		c.socket.CloseNow()
		for _, m := range regexp.MustCompile(`"re":"([^"]*)","op":"([^"]*)"`).FindAllStringSubmatch(<-told, -1) {
			answers = append(answers, m[1]+" "+m[2])
		}
	})
	return answers
}

func say(c *connection, key, body string) {
	c.Message(true, fmt.Appendf(nil,
		`{"id":%q,"op":"message.send","d":{"chat_id":%q,"key":%q,"body":%q}}`, key, someChat, key, body))
}

// The reader hands sends on without waiting for their commits; each is answered when its own is
// known, a refused one between two that are stored.
func TestSendsDoNotWaitForEachOther(t *testing.T) {
	answers := piped(t, func(c *connection, s *enqueued) {
		for _, key := range []string{"a", "b", "c"} {
			say(c, key, "hi")
		}
		if got := s.got(); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("the store got %q", got)
		}
		s.dones[1](chat.Sent{}, chat.Errorf(chat.BadRequest, "no"))
		synctest.Wait()
		s.dones[2](chat.Sent{Seq: 2}, nil)
		s.dones[0](chat.Sent{Seq: 1}, nil)
		synctest.Wait()
	})
	if want := []string{"b error", "a ok", "c ok"}; !slices.Equal(answers, want) {
		t.Errorf("the answers are %q, want %q", answers, want)
	}
}

// Any other command waits until the sends before it are answered, and so does the end of a
// connection that broke the protocol.
func TestOtherCommandsWaitForSends(t *testing.T) {
	for name, next := range map[string]string{
		"a ping":          `{"id":"next","op":"ping"}`,
		"an unknown op":   `{"id":"next","op":"dance"}`,
		"a broken frame":  `ping`,
		"a malformed one": `{"id":"next","op":7}`,
	} {
		t.Run(name, func(t *testing.T) {
			answers := piped(t, func(c *connection, s *enqueued) {
				say(c, "a", "hi")
				over := make(chan bool, 1)
				go func() {
					c.Message(true, []byte(next))
					over <- true
				}()
				synctest.Wait()
				if len(over) > 0 {
					t.Error("it did not wait")
				}
				s.dones[0](chat.Sent{Seq: 1}, nil)
			})
			if len(answers) == 0 || answers[0] != "a ok" {
				t.Errorf("the answers are %q, want that of the send first", answers)
			}
		})
	}
}

// The reader stops while as much is under way as may be.
func TestPipelineIsBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		fits int
	}{
		"by number": {"hi", pipelineSends},
		"by bytes":  {strings.Repeat("x", 15<<10), pipelineBytes / (15 << 10)},
	} {
		t.Run(name, func(t *testing.T) {
			piped(t, func(c *connection, s *enqueued) {
				over := make(chan struct{})
				go func() {
					defer close(over)
					for i := range 2 * pipelineSends {
						say(c, fmt.Sprint("k", i), tc.body)
					}
				}()
				synctest.Wait()
				if got := len(s.got()); got != tc.fits {
					t.Errorf("%d sends are under way, want %d", got, tc.fits)
				}
				s.dones[0](chat.Sent{Seq: 1}, nil)
				synctest.Wait()
				if got := len(s.got()); got != tc.fits+1 {
					t.Errorf("%d sends after one was stored, want %d", got, tc.fits+1)
				}
				s.end()
				<-over
			})
		})
	}
}

// A send whose commit takes too long is answered with unknown_outcome, once, and goes on occupying
// its place until the outcome is known.
func TestSendThatTakesTooLong(t *testing.T) {
	answers := piped(t, func(c *connection, s *enqueued) {
		begun := time.Now()
		say(c, "a", "hi")
		time.Sleep(time.Second)
		say(c, "b", "hi")
		var took time.Duration
		go func() {
			c.sends.flushed()
			took = time.Since(begun)
		}()
		time.Sleep(3 * commandTimeout)
		synctest.Wait()
		if took != commandTimeout+time.Second {
			t.Errorf("all was answered after %s", took)
		}
		if got := len(c.sends.sends); got != 2 {
			t.Errorf("%d places are taken, want 2", got)
		}
		s.dones[0](chat.Sent{Seq: 1}, nil)
		s.dones[1](chat.Sent{}, chat.Errorf(chat.Unavailable, "no"))
		synctest.Wait()
		if c.sends.sends != nil || c.sends.bytes != 0 || c.sends.running {
			t.Errorf("%d places and %d bytes are taken, running: %t", len(c.sends.sends), c.sends.bytes, c.sends.running)
		}
	})
	if want := []string{"a error", "b error"}; !slices.Equal(answers, want) {
		t.Errorf("the answers are %q, want %q", answers, want)
	}
}

// A panic while one send is answered costs the connection, and leaves no reader waiting.
func TestPanicWhileASendIsAnswered(t *testing.T) {
	piped(t, func(c *connection, s *enqueued) {
		say(c, "a", "hi")
		c.server.timeline = nil
		s.dones[0](chat.Sent{Seq: 1}, nil)
		c.sends.flushed()
	})
}
