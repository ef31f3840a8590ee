package app

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/conform/client"
	"fechatter/persistence"
)

// admin runs the subcommand as the program does, and returns what it prints.
func admin(t *testing.T, database string, args ...string) (string, error) {
	t.Helper()
	in, err := LoadConfig(append([]string{"admin", "--database=" + database}, args...), io.Discard)
	if err != nil || in.Command != RunAdmin {
		t.Fatalf("%v: %q, %v", args, in.Command, err)
	}
	var out bytes.Buffer
	err = Administer(t.Context(), in.Config, in.Admin, &out, io.Discard)
	return out.String(), err
}

// Clients of a running node notice within seconds what the subcommand does to its
// database.
func TestOperatorActsBesideARunningNode(t *testing.T) {
	t.Parallel()
	database := "sqlite:" + t.TempDir() + "/chat.db"
	if _, err := admin(t, database, "list"); err == nil || !strings.Contains(err.Error(), "there is no database") {
		t.Errorf("without a database: %v", err)
	}
	url, stop := serveUntilStopped(t, database)
	root, ann := client.SignUp(t, url, "root"), client.SignUp(t, url, "ann")
	room := ann.Group(root)
	socket := ann.Fresh()
	ask := func(want string, args ...string) {
		t.Helper()
		out, err := admin(t, database, args...)
		if err != nil {
			out = err.Error()
		}
		if !strings.Contains(out, want) {
			t.Errorf("admin %s: %q, want %q", strings.Join(args, " "), out, want)
		}
	}
	ask(root.Name+"  "+root.ID+"  administrator", "list")
	ask("suspended "+time.Now().UTC().Format(time.DateOnly), "suspend", ann.Name)
	socket.Closes(4500)
	if status := logInStatus(t, url, ann.Name); status != http.StatusForbidden {
		t.Errorf("a suspended user logs in: %d", status)
	}
	ask("user", "restore", ann.Name)
	if status := logInStatus(t, url, ann.Name); status != http.StatusCreated {
		t.Errorf("a restored user logs in: %d", status)
	}
	ask("1 sessions revoked", "sessions", ann.Name)
	ask("conflict: this is the last administrator", "revoke", root.Name)
	ask("administrator", "grant", ann.Name)
	ask("user", "revoke", root.Name)
	ask("there is no such user", "suspend", "nobody")
	ask("30 days", "retention", room, "30")
	ask("30 days", "chats")
	ask("days must be 0 to", "retention", room, "--", "-1")
	ask("administrator.dismissed  "+root.ID, "audit")
	ask("operator  retention.set", "audit", "--limit=1")
	ask("nodes sign with key 2 from ", "rotate-bus-key")
	ask("conflict: a rotation is under way until ", "rotate-bus-key")
	ask("operator  bus_key.rotated", "audit", "--limit=1")
	ask("must be at least 1", "audit", "--limit=0")
	dead := jobOf(t, database)
	ask("1 dead", "jobs")
	ask("1 attempts  550 no such user", "jobs")
	ask("nothing a is tried again", "retry-job", "nothing", "a")
	ask("0 dead", "jobs")
	ask("there is no such dead job", "drop-job", "nothing", "a")
	dead()
	ask("nothing a is given up", "drop-job", "nothing", "a")
	ask("operator  job.dropped", "audit", "--limit=1")
	stop()
}

// jobOf puts a job that nobody does and makes it dead; what it returns makes it dead again.
func jobOf(t *testing.T, database string) (bury func()) {
	store, err := persistence.Open(t.Context(), persistence.Config{URL: database, SchemaAsIs: true}, unheard{}, newID, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	bury = func() {
		jobs, err := store.ClaimJobs(t.Context(), "nothing", time.Minute, 1)
		if err == nil && len(jobs) == 1 {
			_, err = store.BuryJob(t.Context(), jobs[0], "550 no such user")
		}
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
	}
	if err := store.PutJobs(t.Context(), chat.Job{Kind: "nothing", Key: "a", Payload: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	bury()
	return bury
}

func logInStatus(t *testing.T, url, name string) int {
	t.Helper()
	body := fmt.Sprintf(`{"username":%q,"password":%q}`, name, client.Password)
	header := http.Header{"Content-Type": {"application/json"}}
	return client.Do(t, http.MethodPost, url+"/api/v1/sessions", []byte(body), header).Status
}

// A user named in the settings is an administrator from the next start on.
func TestNamedAdministrators(t *testing.T) {
	t.Parallel()
	database := "sqlite:" + t.TempDir() + "/chat.db"
	url, stop := serveUntilStopped(t, database)
	client.SignUp(t, url, "root")
	ann := client.SignUp(t, url, "ann")
	stop()
	serveUntilStopped(t, database, "--administrators="+ann.Name)
	out, err := admin(t, database, "list", ann.Name)
	if err != nil || !strings.Contains(out, "administrator") {
		t.Errorf("after the start: %q, %v", out, err)
	}
}

// Anybody may choose the name of a chat: it neither controls the operator's terminal nor
// passes for another line.
func TestOperatorsTerminalIsSafe(t *testing.T) {
	var out strings.Builder
	name := "\x1b[2Jfine\nroot\ttable \u202efdp 标题"
	err := office{out: &out}.table(func(row func(...any)) error {
		row(retentionRow(chat.Retention{ChatID: "id", Kind: chat.Public, Name: name})...)
		return nil
	})
	if err != nil || strings.Count(out.String(), "\n") != 1 || strings.ContainsAny(out.String(), "\x1b\t\u202e") || !strings.Contains(out.String(), "标题") {
		t.Errorf("%v, printed %q", err, out.String())
	}
}
