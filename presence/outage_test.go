package presence_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/presence"
	"fechatter/presence/presencetest"
)

var errOut = errors.New("out of order")

// breakable is leases that a node can be cut off from.
type breakable struct {
	presence.Leases

	cut atomic.Bool
}

func (b *breakable) Renew(ctx context.Context, reports []presence.Report) ([]presence.Renewed, error) {
	if b.cut.Load() {
		return nil, errOut
	}
	return b.Leases.Renew(ctx, reports)
}

func (b *breakable) Release(ctx context.Context, reports []presence.Report) error {
	if b.cut.Load() {
		return errOut
	}
	return b.Leases.Release(ctx, reports)
}

func (b *breakable) Read(ctx context.Context, users []string) ([]presence.Reading, error) {
	if b.cut.Load() {
		return nil, errOut
	}
	return b.Leases.Read(ctx, users)
}

func (b *breakable) Sweep(ctx context.Context) (presence.Swept, error) {
	if b.cut.Load() {
		return presence.Swept{}, errOut
	}
	return b.Leases.Sweep(ctx)
}

// A node that dies or is cut off cannot release: its people are offline when
// their leases expire, which is told once. When it is back, so are they.
func TestNodeCutOff(t *testing.T) {
	inTown(t, 2, func(w *town) {
		line := &breakable{Leases: w.nodes[0].Leases()}
		far := w.node(line)
		bob := w.join(w.nodes[1], "bob")
		w.facts.share("ann", "bob", true)
		bob.watch("ann")
		ann := w.join(far, "ann")
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
		line.cut.Store(true)
		if p := w.look(far, "bob", "ann"); p.State != chat.Unknown {
			t.Errorf("without leases she is %s", p.State)
		}
		w.pass(presencetest.TTL - 15*time.Second - spread)
		bob.wantPushes("ann")
		w.pass(15*time.Second + 2*spread)
		bob.wantPushes("ann", chat.Offline)
		ann.Active()
		line.cut.Store(false)
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
	})
}

// Without leases it is unknown who is here; when they are back, all is known again.
func TestLeasesOut(t *testing.T) {
	inTown(t, 1, func(w *town) {
		line := &breakable{Leases: w.nodes[0].Leases()}
		n := w.node(line)
		w.facts.share("ann", "bob", true)
		w.facts.share("bob", "cid", true)
		bob := w.join(n, "bob")
		w.join(n, "ann")
		w.set(n, "cid", chat.DND)
		bob.watch("ann", "cid")
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
		bob.wantPushes("cid")
		line.cut.Store(true)
		w.pass(15*time.Second + spread)
		bob.wantPushes("ann", chat.Unknown)
		bob.wantPushes("cid", chat.Unknown)
		line.cut.Store(false)
		w.pass(15*time.Second + spread)
		bob.wantPushes("ann", chat.Online)
		bob.wantPushes("cid", chat.Offline)
	})
}

// Without the database nothing is told, but nothing is lost either.
func TestFactsOut(t *testing.T) {
	inTown(t, 1, func(w *town) {
		bob := bobWatchesAnn(w)
		ann := w.join(w.nodes[0], "ann")
		w.pass(spread)
		bob.wantPushes("ann", chat.Online)
		active := chat.TimeOf(time.Now())
		ann.Active()
		w.facts.fail(errOut)
		ann.Leave()
		w.pass(time.Minute)
		bob.wantPushes("ann")
		if _, err := bob.Watch(context.Background(), []string{"ann"}); !errors.Is(err, errOut) {
			t.Errorf("watch: %v", err)
		}
		w.facts.fail(nil)
		w.pass(spread)
		bob.wantPushes("ann", chat.Offline)
		if got := w.facts.lastActive("ann"); got != active {
			t.Errorf("saved %v, want %v", got, active)
		}
	})
}
