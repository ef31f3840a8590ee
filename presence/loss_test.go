package presence_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"fechatter/presence"
)

// forgetful is leases that may get lost.
type forgetful struct {
	mu   sync.Mutex
	kept *presence.Memory
	lost bool // and not yet told
}

func (f *forgetful) now() *presence.Memory {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.kept
}

func (f *forgetful) lose() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept, f.lost = presence.NewMemory(), true
}

func (f *forgetful) Renew(ctx context.Context, r []presence.Report) ([]presence.Renewed, error) {
	return f.now().Renew(ctx, r)
}

func (f *forgetful) Release(ctx context.Context, r []presence.Report) error {
	return f.now().Release(ctx, r)
}

func (f *forgetful) Read(ctx context.Context, users []string) ([]presence.Reading, error) {
	return f.now().Read(ctx, users)
}

func (f *forgetful) Sweep(ctx context.Context) (presence.Swept, error) {
	swept, err := f.now().Sweep(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	swept.Lost, f.lost = f.lost, false
	return swept, err
}

// A holder of leases renews all of them as soon as it hears that they were lost,
// long before their turn.
func TestLostLeasesAreRenewedAtOnce(t *testing.T) {
	inTown(t, 0, func(w *town) {
		leases := &forgetful{kept: presence.NewMemory()}
		n := w.node(leases)
		var users []string
		for i := range 50 {
			users = append(users, fmt.Sprint("user-", i))
			w.join(n, users[i])
		}
		w.pass(spread)
		leases.lose()
		w.pass(3 * time.Second)
		readings, err := leases.Read(t.Context(), users)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range readings {
			if !r.Here {
				t.Errorf("%s is not here again", users[i])
			}
		}
	})
}
