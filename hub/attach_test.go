package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAttachReplaysAndGoesOn(t *testing.T) {
	for name, f := range map[string]Format{"websocket": WebSocket, "sse": SSE} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := start(t, Config{}, nil)
				n.member("c", "ann")
				n.lose("c", 5) // 2 … 6
				ann := n.client("ann", f)
				if got := ann.attach("c", 2); got.Outcome != Subscribed || got.Seq != 6 || got.Bytes == 0 {
					t.Errorf("Attach returned %+v", got)
				}
				n.say("c", "7")
				synctest.Wait()
				ann.wantSeqs("c", 3, 4, 5, 6, 7)
			})
		})
	}
}

func TestAttachFarBehindReadsPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{RingEvents: 64}, nil)
		n.member("c", "ann")
		n.lose("c", 999)
		ann := n.client("ann", WebSocket)
		ann.attach("c", 1)
		n.say("c", "1001")
		synctest.Wait()
		ann.wantSeqs("c", seqs(2, 1001)...)
		if got := n.hub.Stats().PageReads; got != 5 {
			t.Errorf("%d pages, want 5", got)
		}
	})
}

// A replay over its limit is refused before its first frame, wherever its events are stored.
func TestReplayOverItsLimitIsNotBegun(t *testing.T) {
	for name, c := range map[string]struct {
		ring int
		warm bool
	}{"in the ring": {512, true}, "loaded": {512, false}, "in pages": {64, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := start(t, Config{RingEvents: c.ring}, nil)
				n.member("c", "ann")
				defer n.open("c")()
				total := 0
				for range 300 {
					e := n.db.commit("c", Event{Op: "message.created", Data: []byte("0123456789")})
					total += len(e.Data)
					if c.warm {
						n.publish(e)
					}
				}
				ann := n.client("ann", WebSocket)
				limited := func(bytes int) Attached {
					got, err := n.hub.Attach(t.Context(), ann.conn, Position{Stream: "c", Added: 1, Last: 301, After: 1, MaxBytes: bytes})
					if err != nil {
						t.Fatal(err)
					}
					return got
				}
				if got := limited(total - 1); got.Outcome != MustReset || got.Reason != ReasonTooFar || got.Bytes != 0 {
					t.Errorf("one byte over: %+v", got)
				}
				synctest.Wait()
				ann.wantSeqs("c")
				if got := limited(total); got.Outcome != Subscribed || got.Bytes != total {
					t.Errorf("just within: %+v", got)
				}
				synctest.Wait()
				ann.wantSeqs("c", seqs(2, 301)...)
			})
		})
	}
}

func TestLoadServesAllWhoComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		n.lose("c", 99)
		done := make(chan bool)
		for i := range 50 {
			go func() {
				c := n.client("ann", WebSocket)
				c.attach("c", int64(50+i))
				synctest.Wait()
				c.wantSeqs("c", seqs(int64(51+i), 100)...)
				done <- true
			}()
			<-done
		}
		if got := n.db.readCount(); got > 2 {
			t.Errorf("%d reads for 50 connections", got)
		}
	})
}

func TestAttachOutcomes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{RingEvents: 4}, nil)
		n.member("c", "ann", "bob", "eve") // 1, 2, 3
		n.lose("c", 20)
		defer n.open("c")()
		attach := func(user string, p Position) Attached {
			t.Helper()
			a, err := n.hub.Attach(t.Context(), n.client(user, WebSocket).conn, p)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		read, _ := n.db.membership("c", "bob")
		read.After = 2
		n.db.commit("c", Event{Op: "member.removed", Subject: "bob"}) // 24
		if got := attach("bob", read); got.Outcome != Left {
			t.Errorf("removed in the meantime: %+v, want Left", got)
		}
		n.db.commit("c", Event{Op: "member.added", Subject: "bob"}) // 25
		if got := attach("bob", read); got.Outcome != MustReset || got.Reason != ReasonRejoined || got.Seq != 25 {
			t.Errorf("added again in the meantime: %+v, want a reset", got)
		}
		n.db.mu.Lock()
		n.db.log("c").trimmed = 15
		n.db.mu.Unlock()
		old, _ := n.db.membership("c", "ann")
		old.After = 5
		if got := attach("ann", old); got.Outcome != MustReset || got.Reason != ReasonTrimmed {
			t.Errorf("trimmed: %+v, want a reset", got)
		}
	})
}

func TestAttachErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.member("c", "ann")
		ann := n.client("ann", WebSocket)
		p, _ := n.db.membership("c", "ann")
		if _, err := n.hub.Attach(t.Context(), ann.conn, p); !errors.Is(err, ErrNotOpen) {
			t.Errorf("not open: %v", err)
		}
		if err := n.hub.AttachPersonal(t.Context(), ann.conn, "ann", 0); !errors.Is(err, ErrNotOpen) {
			t.Errorf("personal stream not open: %v", err)
		}
		defer n.open("c")()
		if _, err := n.hub.Attach(t.Context(), ann.conn, p); err != nil {
			t.Fatal(err)
		}
		if a, err := n.hub.Attach(t.Context(), ann.conn, p); err != nil || a.Outcome != Subscribed {
			t.Errorf("already attached: %+v, %v", a, err)
		}
		n.say("c", "once")
		synctest.Wait()
		ann.wantSeqs("c", 2)

		late := n.client("ann", WebSocket)
		behind := Position{Stream: "c", Added: 1, Last: 50, After: 50}
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			_, err := n.hub.Attach(ctx, late.conn, behind)
			failed <- err
		}()
		synctest.Wait()
		if _, err := n.hub.Attach(t.Context(), late.conn, p); !errors.Is(err, ErrBusy) {
			t.Errorf("two at a time: %v, want ErrBusy", err)
		}
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("context ended: %v", err)
		}
		late.conn.CloseNow()
		synctest.Wait()
		if _, err := n.hub.Attach(t.Context(), late.conn, p); !errors.Is(err, ErrClosed) {
			t.Errorf("connection closed: %v", err)
		}
	})
}

func TestRunEndsWhileAttachWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &node{t: t, db: newTruth(), bus: newMedium()}
		n.hub = New(Config{}, n.db, n.bus, quiet())
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error)
		go func() { ran <- n.hub.Run(ctx) }()
		n.member("c", "ann")
		ann := n.client("ann", WebSocket)
		n.follower("ann")
		defer n.open("c")()
		failed := make(chan error)
		go func() {
			_, err := n.hub.Attach(t.Context(), ann.conn, Position{Stream: "c", Added: 1, Last: 50, After: 50})
			failed <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-failed; !errors.Is(err, ErrClosed) {
			t.Errorf("Attach returned %v, want ErrClosed", err)
		}
		if err := <-ran; err != nil {
			t.Errorf("Run returned %v", err)
		}
		ann.wantClosed(t, ErrClosed)
		if _, err := n.hub.Open(t.Context(), "d"); !errors.Is(err, ErrClosed) {
			t.Errorf("open after the end: %v", err)
		}
		n.say("c", "still published")
		late := n.client("ann", WebSocket)
		late.wantClosed(t, ErrClosed)
		if err := late.conn.Send("op", []byte("x")); !errors.Is(err, ErrClosed) {
			t.Errorf("send after the end: %v", err)
		}
		if !late.sink.isClosed() {
			t.Error("a socket that came after the end is still open")
		}
	})
}

func TestAttachWaitsForAStreamThatIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{CheckEvery: time.Hour}, nil)
		n.member("c", "ann", "bob")
		n.follower("ann")
		n.lose("c", 3) // 3, 4, 5: not here yet
		bob := n.follower("bob")
		n.hear("c") // 6
		synctest.Wait()
		bob.wantSeqs("c", 6)
		if got := n.hub.Stats().RepairsAttach; got != 1 {
			t.Errorf("%d repairs for an attach, want 1", got)
		}
	})
}

func TestReplayIsPacedAndOutsideTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{QueueBytes: 50 << 10, LowMark: 20 << 10, WriteTimeout: time.Hour}, nil)
		n.member("c", "ann")
		for range 100 {
			n.db.commit("c", Event{Op: "message.created", Data: []byte(strings.Repeat("x", 4000))})
		}
		ann := n.client("ann", WebSocket)
		ann.sink.stick(true)
		done := make(chan Attached)
		go func() { done <- ann.attach("c", 1) }()
		time.Sleep(time.Second)
		select {
		case <-done:
			t.Fatal("the replay did not wait for the socket")
		default:
		}
		if got := n.hub.Stats().QueuedBytes; got > 80<<10 {
			t.Errorf("%d bytes are queued", got)
		}
		ann.sink.stick(false)
		<-done
		synctest.Wait()
		ann.wantSeqs("c", seqs(2, 101)...)
	})
}

func TestPersonalEventsReachTheOwnerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		n.db.commit("ann", Event{Op: "chat.joined"})
		ann, other := n.client("ann", WebSocket), n.client("ann", SSE)
		n.personal(ann, 0) // receives what follows 0
		n.personal(other, -1)
		n.publish(n.db.commit("ann", Event{Op: "chat.left"}))
		n.db.commit("ann", Event{Op: "lost"})
		n.bus.from(t, n.db.commit("ann", Event{Op: "heard"}))
		time.Sleep(time.Second)
		ann.wantCalls(t, "personal 1", "personal 2", "personal 3", "personal 4")
		other.wantCalls(t, "personal 2", "personal 3", "personal 4")
		if w := ann.sink.written(); w != "" {
			t.Errorf("the socket got %q", w)
		}
		if got := len(ann.conn.Cursors()); got != 0 {
			t.Errorf("%d cursors of a personal stream", got)
		}
	})
}

func TestCursorsNameWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{FlushDelayMin: 10 * time.Millisecond}, nil)
		n.member("c", "ann")
		n.member("d", "ann")
		ann := n.client("ann", SSE)
		ann.attach("c", -1)
		ann.attach("d", -1)
		want := func(c, d int64) {
			t.Helper()
			if got := fmt.Sprint(ann.conn.Cursors()); got != fmt.Sprintf("map[c:%d d:%d]", c, d) {
				t.Errorf("cursors %s, want c:%d d:%d", got, c, d)
			}
		}
		want(1, 1)
		n.say("c", "2")
		want(1, 1) // gathered, not written
		time.Sleep(20 * time.Millisecond)
		want(2, 1)
	})
}
