package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever resumes in a loop waits for others who do, and people who come back do not.
func TestResumesOfALoopWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newResumeLine()
		line.often = newTurns(1, 1)
		begin := func(user string) func() {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			leave, err := line.begin(ctx, user)
			if err != nil {
				t.Fatalf("%s: %v", user, err)
			}
			return leave
		}
		for range usualResumes {
			begin("eve")()
			begin("mallory")()
		}
		leave := begin("eve")
		late, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := line.begin(late, "mallory"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("two who resume in a loop do so at once")
		}
		for range maxUserResumes {
			defer begin("ann")()
		}
		leave()
		begin("mallory")()
		time.Sleep(time.Minute)
		defer begin("eve")()
		defer begin("mallory")()
		if n := len(line.often.all); n != 0 {
			t.Errorf("after a minute of rest %d are held up", n)
		}
	})
}

// Who waits for a socket lets others compute meanwhile, and waits for its turn afterwards.
func TestTurnsToComputeAreLent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newResumeLine()
		line.computing = newTurns(1, 1)
		ada, err := line.compute(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := line.compute(short, "bob"); err == nil {
			t.Fatal("two compute where one may")
		}
		socket, went := make(chan struct{}), make(chan error, 1)
		go func() {
			went <- ada.lend(t.Context(), func() error {
				<-socket
				return nil
			})
		}()
		bob, err := line.compute(t.Context(), "bob")
		if err != nil {
			t.Fatal(err)
		}
		close(socket)
		synctest.Wait()
		if len(went) > 0 {
			t.Error("ada computes beside bob")
		}
		bob.leave()
		if err := <-went; err != nil || len(line.computing.all) != 1 {
			t.Errorf("ada goes on without a turn: %v", err)
		}
		broken := errors.New("the socket is gone")
		if err := ada.lend(t.Context(), func() error { return broken }); !errors.Is(err, broken) {
			t.Errorf("after a wait that failed: %v", err)
		}
		ada.leave()
		if len(line.computing.all) != 0 {
			t.Error("a turn is given back other than once")
		}
	})
}
