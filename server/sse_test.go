package server_test

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"fechatter/app"
	"fechatter/conform/client"
)

func TestEventStream(t *testing.T) {
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id := ada.Group(bob)
	b := bob.Stream("")
	for _, op := range []string{"hello", "chats", "ready"} {
		b.Want(op)
	}
	first := b.LastID()
	ada.Say(id, "live")
	b.Want("message.created")
	second := b.LastID()
	if second == first || len(second) > 4<<10 {
		t.Errorf("token %q after %q", second, first)
	}
	b.Close()
	other := ada.Group(bob)
	missed := []int64{ada.Say(id, "one"), ada.Say(id, "two")}

	again := bob.Stream(second)
	again.Want("ready")
	if got := again.Seqs(id); !slices.Equal(got, missed) {
		t.Errorf("resumed with %v, want %v", got, missed)
	}
	seq := ada.Say(other, "in a chat of which the token knew nothing")
	if f := again.Want("message.created"); f.ChatID != other || f.Seq != seq {
		t.Errorf("live event %s", f.Raw)
	}
	older := bob.Stream(first)
	older.Want("ready")
	if got := older.Seqs(id); !slices.Equal(got, append([]int64{4}, missed...)) {
		t.Errorf("resumed with %v", got)
	}

	t.Run("the token resumes a socket", func(t *testing.T) {
		s := bob.Connect(map[string]any{"token": second})
		s.Want("ready")
		if got := s.Seqs(id); !slices.Equal(got, missed) {
			t.Errorf("resumed with %v, want %v", got, missed)
		}
	})
	t.Run("nonsense gives resets", func(t *testing.T) {
		s := bob.Stream("nonsense")
		s.Want("ready")
		resets := 0
		for _, f := range s.Seen {
			if f.Op == "reset" {
				resets++
			}
		}
		if resets != 2 {
			t.Errorf("%d resets", resets)
		}
	})
	t.Run("removal ends a chat", func(t *testing.T) {
		ada.Rest("DELETE", "/chats/"+id+"/members/"+bob.ID, nil, http.StatusOK, nil)
		again.Want("member.removed")
		again.Want("chat.left")
	})
	t.Run("revoking ends the stream", func(t *testing.T) {
		bob.Rest("DELETE", "/sessions/current", nil, http.StatusNoContent, nil)
		again.Want("session.revoked")
		again.Ends()
	})
	t.Run("no credential, foreign origin", func(t *testing.T) {
		for header, want := range map[[2]string]int{
			{"X-Nothing", "1"}:                           http.StatusUnauthorized,
			{"Origin", "http://evil.example"}:            http.StatusForbidden,
			{"Authorization", "Bearer " + bob.Token}:     http.StatusUnauthorized,
			{"Cookie", "fechatter_session=" + bob.Token}: http.StatusUnauthorized,
		} {
			a := client.Do(t, "GET", n.url+"/api/v1/events", nil, http.Header{header[0]: {header[1]}})
			if a.Status != want {
				t.Errorf("%v: %d, want %d", header, a.Status, want)
			}
		}
	})
}

// The stream writes its head itself, and omits nothing that every other answer
// carries.
func TestHeaderOfTheEventStream(t *testing.T) {
	n := startNode(t)
	a := client.Do(t, "GET", n.url+"/api/v1/events", nil,
		http.Header{"Authorization": {"Bearer " + client.SignUp(t, n.url, "ada").Token}, "X-Request-Id": {"mine"}})
	for name, want := range map[string]string{"X-Request-Id": "mine", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store"} {
		if got := a.Header.Values(name); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q once", name, got, want)
		}
	}
}

func TestHeadOfTheEventStream(t *testing.T) {
	n := startNode(t)
	req, err := http.NewRequest(http.MethodHead, n.url+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+client.SignUp(t, n.url, "ada").Token)
	conn, err := net.Dial("tcp", req.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, req)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%v, %v", res, err)
	}
	if err := req.Write(conn); err != nil {
		t.Fatal(err)
	}
	if next, err := http.ReadResponse(r, req); err != nil { // a body would be taken for it
		t.Errorf("the connection does not go on: %v, %v", next, err)
	}
}

// A token is a little older than what its client holds: of a chat joined in between,
// the client may have any part.
func TestChatJoinedAfterTheToken(t *testing.T) {
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	ada.Group(bob)
	s := bob.Stream("")
	s.Want("ready")
	token := s.LastID()
	id := ada.Group(bob)
	s.Want("chat.joined")
	ada.Say(id, "seen")
	s.Want("message.created")
	s.Close()
	missed := ada.Say(id, "missed")

	again := bob.Stream(token)
	if reset := again.Want("reset"); reset.ChatID != id || reset.Seq != missed || reset.Field(t, "reason") != "rejoined" {
		t.Errorf("got %s, want a reset of %s to %d", reset.Raw, id, missed)
	}
	again.Want("ready")
	if seq := ada.Say(id, "live"); again.Want("message.created").Seq != seq {
		t.Error("not live")
	}
}

// manyChats is more than a token can name.
const manyChats = 320

// withManyChats makes bob a member of them.
func withManyChats(t *testing.T, n *node) (ada, bob *client.Person, ids []string) {
	t.Helper()
	ada, bob = client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	for i := range manyChats {
		ids = append(ids, ada.Group(bob))
		if i == 0 { // more than 200 requests of a stranger would not wait
			bob.Rest("POST", "/chats/"+ids[0]+"/accept", nil, http.StatusOK, nil)
		}
	}
	return ada, bob, ids
}

// sayIn sends a message to each of the chats, at once.
func sayIn(t *testing.T, n *node, senderID string, ids []string) {
	t.Helper()
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() { n.sayMany(t, senderID, id, 1) })
	}
	wg.Wait()
}

// TestResumeAfterTheClockWentBack: the clock of the database goes back by five minutes
// while the client is away, so that what it missed is older than its token.
func TestResumeAfterTheClockWentBack(t *testing.T) {
	t.Run("PostgreSQL", func(t *testing.T) {
		url := onPostgres(t)
		behind := func(minutes int) {
			executeOn(t, "pgx", url, fmt.Sprintf(`CREATE OR REPLACE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql
				AS 'SELECT pg_catalog.clock_timestamp() - interval ''%d min'' '`, minutes))
		}
		executeOn(t, "pgx", url, "CREATE SCHEMA skewed")
		executeOn(t, "pgx", url, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, skewed, pg_catalog',
			current_database()); END $$`)
		behind(60)
		n := startNode(t, func(c *app.Config) { c.Database = url })
		resumeManyChats(t, n, func() { behind(0) }, func(say func()) {
			behind(5)
			say()
		})
	})
	t.Run("SQLite", func(t *testing.T) { // whose times are set back afterwards
		file := t.TempDir() + "/fechatter.db"
		setBack := func(by time.Duration) {
			execute(t, file, "UPDATE events SET ts = ts - $1", by.Milliseconds())
			execute(t, file, "UPDATE streams SET last_ts = last_ts - $1", by.Milliseconds())
		}
		n := startNode(t, func(c *app.Config) { c.Database = "sqlite:" + file })
		resumeManyChats(t, n, func() { setBack(time.Hour) }, func(say func()) {
			say()
			setBack(5 * time.Minute)
		})
	})
}

// resumeManyChats has a client miss a message in each of its chats. An hour passes once
// they are made; the clock goes back around what the client misses.
func resumeManyChats(t *testing.T, n *node, anHourPasses func(), clockGoesBack func(say func())) {
	t.Helper()
	ada, bob, ids := withManyChats(t, n)
	anHourPasses()
	s := bob.Stream("")
	s.Want("ready")
	token := s.LastID()
	s.Close()
	clockGoesBack(func() { sayIn(t, n, ada.ID, ids) })
	again := bob.Stream(token)
	again.Want("ready")
	for i, id := range ids {
		if got := again.Seqs(id); !slices.Equal(got, []int64{4}) {
			t.Fatalf("chat %d of %d resumed with %v, want the message that was missed", i, len(ids), got)
		}
	}
}

// TestHorizonFollows: what a token does not name moves on nevertheless, and is not sent
// again.
func TestHorizonFollows(t *testing.T) {
	n := startNode(t)
	ada, bob, ids := withManyChats(t, n)
	s := bob.Stream("")
	s.Want("ready")
	s.LastID()
	token, last := "", ids[len(ids)-1:]
	for range 3 { // in all chats, then in the last one alone, whose newest message may come again
		sayIn(t, n, ada.ID, ids)
		for range ids {
			s.Want("message.created")
		}
		token, ids = s.LastID(), last
	}
	s.Close()
	again := bob.Stream(token)
	again.Want("ready")
	for _, f := range again.Seen {
		if f.Op == "reset" || f.Op == "message.created" && f.ChatID != last[0] {
			t.Fatalf("got %s again", f.Raw)
		}
	}
}

// TestTokenOfTheFuture: a token whose horizon is past that of the database, which has been
// copied back to an earlier state without being told so, or which somebody made up, leads to
// resets. Otherwise what follows would be taken as read.
func TestTokenOfTheFuture(t *testing.T) {
	n := startNode(t)
	ada, bob := client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob")
	id := ada.Group(bob)
	s := bob.Stream("")
	s.Want("ready")
	real, err := base64.RawURLEncoding.DecodeString(s.LastID())
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	_, size := binary.Varint(real[2:])
	rest := real[2+size:]
	epoch := rest[:1+int(rest[0])] // shorter than 128
	missed := ada.Say(id, "missed")
	forged := append(binary.AppendVarint([]byte{real[0], 0}, 1<<60), epoch...)
	again := bob.Stream(base64.RawURLEncoding.EncodeToString(forged))
	if reset := again.Want("reset"); reset.ChatID != id || reset.Seq != missed {
		t.Errorf("got %s", reset.Raw)
	}
	again.Want("ready")
}
