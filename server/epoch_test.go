package server_test

import (
	"fmt"
	"log/slog"
	"testing"

	"fechatter/app"
	"fechatter/chat"
	"fechatter/conform/client"
	"fechatter/persistence"

	"github.com/google/uuid"
)

type toNobody struct{}

func (toNobody) Publish([]chat.Event) {}

// The database begins another history under a running node. Connected clients are
// reset, and so are those that come back with a cursor of the old history, although
// the new one has grown past it.
func TestNewEpochUnderARunningNode(t *testing.T) {
	t.Parallel()
	url := onPostgres(t)
	n := startNode(t, func(c *app.Config) { c.Database = url })
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	first, second := ada.Group(bob), ada.Group(bob)
	live, gone := bob.Fresh(), bob.Fresh()
	epoch := gone.Seen[len(gone.Seen)-1].Field(t, "epoch")
	held := ada.Say(first, "of the old history")
	live.Want("message.created")
	_ = gone.WS.CloseNow()

	other, err := persistence.Open(t.Context(), persistence.Config{URL: url}, toNobody{}, uuid.NewString, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.RenewEpoch(t.Context()); err != nil {
		t.Fatal(err)
	}
	var last int64
	for i := range 10 {
		last = ada.Say(first, fmt.Sprint("of the new history ", i))
	}
	reset := map[string]bool{}
	for range 2 {
		f := live.Want("reset")
		reset[f.ChatID] = f.Field(t, "reason") == "epoch"
	}
	if !reset[first] || !reset[second] {
		t.Errorf("the live connection got %s", live.Story())
	}
	after := ada.Say(second, "both go on")
	if f := live.Until("the message", func(f client.Frame) bool { return f.Op == "message.created" && f.ChatID == second }); f.Seq != after {
		t.Errorf("heard %s", f.Raw)
	}

	back := bob.Connect(map[string]any{"epoch": epoch, "cursors": map[string]any{first: held, second: 3}})
	ready := back.Want("ready")
	if got := ready.Field(t, "epoch"); got == epoch {
		t.Errorf("ready names the old epoch %v", got)
	}
	if got := back.Seqs(first); len(got) > 0 {
		t.Errorf("replayed %v of the new history after a cursor of the old one", got)
	}
	told := 0
	for _, f := range back.Seen {
		if f.Op != "reset" {
			continue
		}
		told++
		if f.Field(t, "reason") != "epoch" || f.ChatID == first && f.Seq != last {
			t.Errorf("got %s, want epoch at %d", f.Raw, last)
		}
	}
	if told != 2 {
		t.Errorf("%d resets, want one of each chat", told)
	}
}
