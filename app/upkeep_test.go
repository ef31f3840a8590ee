package app

import (
	"database/sql"
	"testing"

	"fechatter/conform/client"
)

// A node deletes messages past the retention of their chat, and clients that hold them
// are told as of any deletion.
func TestExpiredMessagesAreDeleted(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/chat.db"
	url, stop := serveUntilStopped(t, "sqlite:"+file)
	ann := client.SignUp(t, url, "ann")
	room := ann.Group()
	held := ann.Say(room, "old")
	s := ann.Fresh()
	epoch := s.Seen[0].Field(t, "epoch")
	_ = s.WS.CloseNow()
	stop()
	if _, err := admin(t, "sqlite:"+file, "retention", room, "7"); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"UPDATE messages SET created_at = created_at - 8 * 86400000",
		"UPDATE meta SET value = '0000000000000' WHERE name = 'retention_due'", // the last sweep was a moment ago
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	url, _ = serveUntilStopped(t, "sqlite:"+file)
	ann = ann.On(url)
	s = ann.Connect(map[string]any{"epoch": epoch, "cursors": map[string]any{room: held}})
	f := s.Want("message.deleted")
	if f.Field(t, "message_seq") != float64(held) {
		t.Errorf("told %s", f.Raw)
	}
	_ = s.WS.CloseNow()
}

func TestMemoryIsReturnedOnceAfterARush(t *testing.T) {
	const mb = 1 << 20
	var m memory
	for _, c := range []struct {
		what      string
		allocated uint64
		want      bool
	}{
		{"the start is a rush", 20 * mb, false},
		{"it goes on", 50 * mb, false},
		{"it is over", 52 * mb, true},
		{"calm", 54 * mb, false},
		{"another", 90 * mb, false},
		{"over", 90 * mb, true},
	} {
		if got := m.check(c.allocated); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
	if allocated() == 0 {
		t.Error("the runtime reports no allocations")
	}
}
