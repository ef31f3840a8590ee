package hub

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// A paced send waits for its socket inside the pause of its context, and one that need not wait
// does without.
func TestPacedSendsPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := start(t, Config{}, nil)
		c := n.client("ann", WebSocket)
		pauses := 0
		taken := errors.New("somebody else has it now")
		ctx := WithPause(t.Context(), func(wait func() error) error {
			pauses++
			if err := wait(); err != nil || pauses == 1 {
				return err
			}
			return taken
		})
		send := func() error { return c.conn.SendPaced(ctx, "op", make([]byte, 2*n.hub.cfg.LowMark)) }
		if err := send(); err != nil || pauses != 0 {
			t.Fatalf("an idle socket: %d pauses, %v", pauses, err)
		}
		synctest.Wait()
		for round := range 2 {
			c.sink.stick(true)
			if err := send(); err != nil {
				t.Fatal(err)
			}
			sent := make(chan error, 1)
			go func() { sent <- send() }()
			synctest.Wait()
			if pauses != round+1 || len(sent) > 0 {
				t.Fatalf("behind a full socket: %d pauses", pauses)
			}
			c.sink.stick(false)
			if err := <-sent; (round == 0) != (err == nil) || round == 1 && !errors.Is(err, taken) {
				t.Fatalf("round %d: %v", round, err)
			}
			synctest.Wait()
		}
		c.sink.stick(true)
		defer c.sink.stick(false)
		if err := send(); err != nil {
			t.Fatal(err)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if err := c.conn.SendPaced(cancelled, "op", []byte("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}
