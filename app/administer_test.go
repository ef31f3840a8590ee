package app

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/conform/client"
)

// admin runs the subcommand as the program does and gives what it printed.
func admin(t *testing.T, database string, args ...string) (string, error) {
	t.Helper()
	in, err := LoadConfig(append([]string{"admin", "--database=" + database}, args...), io.Discard)
	if err != nil || in.Command != AskAdmin {
		t.Fatalf("%v: %q, %v", args, in.Command, err)
	}
	var out bytes.Buffer
	err = Administer(t.Context(), in.Config, in.Admin, &out, io.Discard)
	return out.String(), err
}

// TestOperatorActsBesideARunningNode: what the subcommand does to the file of a
// running node, the node's clients notice within seconds.
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
	ask("must be at least 1", "audit", "--limit=0")
	stop()
}

func logInStatus(t *testing.T, url, name string) int {
	t.Helper()
	body := fmt.Sprintf(`{"username":%q,"password":%q}`, name, client.Password)
	res, err := http.Post(url+"/api/v1/sessions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// TestNamedAdministrators: who is named by the settings is one from the next
// start on.
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
		t.Errorf("named, and after the start %q, %v", out, err)
	}
}

// A chat's name is what anybody made it: it neither reaches the operator's terminal as
// a command nor passes for another line.
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
