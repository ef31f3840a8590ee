package server

import (
	"context"
	"testing"
	"testing/synctest"
)

// One user gets no more than their share, and every turn is given back.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(3, 2)
		type entered struct {
			leave func()
			err   error
		}
		enter := func(ctx context.Context, user string) <-chan entered {
			done := make(chan entered, 1)
			go func() {
				leave, err := turns.enter(ctx, user)
				done <- entered{leave, err}
			}()
			synctest.Wait()
			return done
		}
		now := func(who string, done <-chan entered) func() {
			t.Helper()
			synctest.Wait()
			select {
			case e := <-done:
				return e.leave
			default:
				t.Fatalf("%s still waits", who)
				return nil
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		first, second := now("eve", enter(t.Context(), "eve")), now("eve", enter(t.Context(), "eve"))
		third := enter(ctx, "eve")
		ann := now("ann", enter(t.Context(), "ann"))
		bob := enter(t.Context(), "bob")
		if len(third)+len(bob) > 0 {
			t.Fatal("more turns are in use than there are")
		}
		first()
		leaveBob := now("bob, who has waited longer for any turn", bob)
		cancel()
		if e := <-third; e.err == nil {
			t.Error("eve has got another turn while all are in use")
		}
		for _, leave := range []func(){second, ann, leaveBob} {
			leave()
		}
		if len(turns.all) != 0 || len(turns.users) != 0 {
			t.Errorf("in the end %d turns are in use, %d users known", len(turns.all), len(turns.users))
		}
	})
}
