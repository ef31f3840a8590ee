package app

import (
	"bytes"
	"database/sql"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
	"fechatter/mail/mailtest"
)

// postal is a node with mail, and its database.
type postal struct {
	*Node
	db *sql.DB
}

func startPostal(t *testing.T, server *mailtest.Server, more ...string) postal {
	t.Helper()
	file := filepath.Join(t.TempDir(), "chat.db")
	in, err := LoadConfig(append([]string{"--database=sqlite:" + file, "--search=bleve:" + t.TempDir(), "--listen=127.0.0.1:0", "--admin-listen=",
		"--drain-delay=0s", "--registration=open", "--public-url=https://chat.example.org", "--mail=smtp://" + mailtest.User + "@" + server.Address,
		"--mail-password=" + mailtest.Password, "--mail-from=Acme <chat@example.org>", "--mail-ca=" + server.CA}, more...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Open(t.Context(), in.Config, "test", quiet())
	if err != nil {
		t.Fatal(err)
	}
	running(t, n)
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return postal{n, db}
}

// pass has the pauses between attempts pass.
func (p postal) pass(t *testing.T, by time.Duration) {
	t.Helper()
	_, err := p.db.ExecContext(t.Context(), "UPDATE jobs SET due_at = due_at - $1, created_at = created_at - $1 WHERE dead_at = 0 AND claimed_until = 0", by.Milliseconds())
	if err != nil {
		t.Fatal(err)
	}
	p.jobs.Wake(chat.JobMail)
}

// jobsThere returns how many jobs there are, and what all of them hold.
func (p postal) jobsThere(t *testing.T) (n int, payloads string) {
	t.Helper()
	err := p.db.QueryRowContext(t.Context(), "SELECT count(*), COALESCE(group_concat(payload || problem), '') FROM jobs").Scan(&n, &payloads)
	if err != nil {
		t.Fatal(err)
	}
	return n, payloads
}

func awaits(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("not within a minute: ", what)
}

var linkIn = regexp.MustCompile(`https://chat\.example\.org/#([a-z]+)=([A-Za-z0-9_-]{43})`)

// linkOf returns the name and the code of the link in a mail.
func linkOf(t *testing.T, m mailtest.Mail) (name, code string) {
	t.Helper()
	found := linkIn.FindStringSubmatch(m.Text(t))
	if found == nil {
		t.Fatalf("there is no link in %s", m.Text(t))
	}
	return found[1], found[2]
}

// member signs up somebody with a verified address.
func (p postal) member(t *testing.T, server *mailtest.Server, name string) chat.User {
	t.Helper()
	u, err := p.chat.SignUp(t.Context(), chat.NewUser{Username: name, Password: "a good password", Email: name + "@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	link, code := linkOf(t, server.Next(t))
	if link != "email" {
		t.Fatalf("a link for %s", link)
	}
	if err := p.chat.ConfirmEmail(t.Context(), u.ID, code, "en"); err != nil {
		t.Fatal(err)
	}
	return u
}

// TestForgottenPassword goes the whole way, by a real mail server.
func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t, mailtest.Config{Auth: true})
	p := startPostal(t, server)
	u := p.member(t, server, "ann")
	if err := p.chat.RequestReset(t.Context(), chat.ResetRequest{Email: "Ann@example.org"}); err != nil {
		t.Fatal(err)
	}
	link, code := linkOf(t, server.Next(t))
	if got, err := p.chat.CompleteReset(t.Context(), code, "another password"); link != "reset" || err != nil || got.ID != u.ID {
		t.Fatal(link, got, err)
	}
	if _, err := p.chat.LogIn(t.Context(), "ann", "another password", ""); err != nil {
		t.Error(err)
	}
	if text := server.Next(t).Text(t); !strings.Contains(text, "password of your account in Fechatter was changed") || strings.Contains(text, "#") || strings.Contains(text, "works until") {
		t.Errorf("she is told %s", text)
	}
	if _, _, err := p.chat.Invite(t.Context(), chat.ByUser(u.ID), chat.NewInvitation{Email: "bob@example.org", Language: "zh"}); err != nil {
		t.Fatal(err)
	}
	if link, code = linkOf(t, server.Next(t)); link != "join" {
		t.Errorf("a link for %s", link)
	}
	bob, err := p.chat.SignUp(t.Context(), chat.NewUser{Username: "bob", Password: "a good password", Email: "bob@example.org", Invitation: code})
	if err != nil {
		t.Fatal(err)
	}
	if _, verified, err := p.chat.Email(t.Context(), bob.ID); err != nil || !verified {
		t.Errorf("the address by which he came is verified: %v, %v", verified, err)
	}
	awaits(t, "the outbox is empty", func() bool { n, _ := p.jobsThere(t); return n == 0 })
	if len(server.Taken()) != 4 {
		t.Errorf("%d mails, want 4", len(server.Taken()))
	}
}

// TestMailServerAway: for an hour, then it greylists; in the end one mail arrives, whose link
// works an hour from then. Nothing that works is in the outbox meanwhile.
func TestMailServerAway(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t, mailtest.Config{Auth: true})
	p := startPostal(t, server)
	p.member(t, server, "ann")
	server.Refuse(func(string) error { return mailtest.Reply(450, "greylisted, come back later") })
	if err := p.chat.RequestReset(t.Context(), chat.ResetRequest{Username: "ann"}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		awaits(t, "an attempt has failed", func() bool {
			_, payloads := p.jobsThere(t)
			return strings.Contains(payloads, "greylisted")
		})
		if _, payloads := p.jobsThere(t); regexp.MustCompile(`[A-Za-z0-9_-]{43}`).MatchString(payloads) {
			t.Errorf("the outbox holds what may be a code: %s", payloads)
		}
		if _, err := p.db.ExecContext(t.Context(), "UPDATE jobs SET problem = ''"); err != nil {
			t.Fatal(err)
		}
		p.pass(t, 20*time.Minute)
	}
	server.Refuse(nil)
	awaits(t, "it is sent", func() bool { p.pass(t, time.Hour); return len(server.Taken()) == 2 })
	_, code := linkOf(t, server.Next(t))
	if _, err := p.chat.CompleteReset(t.Context(), code, "another password"); err != nil {
		t.Error(err)
	}
	awaits(t, "the outbox is empty", func() bool { n, _ := p.jobsThere(t); return n == 0 })
}

// TestRefusedMail: an address that does not exist is no reason to try for a day.
func TestRefusedMail(t *testing.T) {
	t.Parallel()
	server := mailtest.Start(t, mailtest.Config{Auth: true})
	p := startPostal(t, server)
	server.Refuse(func(string) error { return mailtest.Reply(550, "no such user") })
	if _, err := p.chat.SignUp(t.Context(), chat.NewUser{Username: "ann", Password: "a good password", Email: "ann@example.org"}); err != nil {
		t.Fatal(err)
	}
	awaits(t, "it is dead", func() bool {
		dead, _, err := p.chat.DeadJobs(t.Context(), chat.ByOperator(), chat.Page{Limit: 9})
		return err == nil && len(dead) == 1 && dead[0].Attempts == 1 && strings.Contains(dead[0].Problem, "no such user")
	})
}

// TestMailNeedsPublicURL: links must not come from what a request calls this server.
func TestMailNeedsPublicURL(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"set it, such as https://": {"--mail=smtp://mail.example.org", "--mail-from=a@example.org"},
		"mail_from":                {"--mail=smtp://mail.example.org", "--public-url=https://chat.example.org"},
		"registration:":            {"--registration=maybe"},
		"invitations:":             {"--invitations=nobody"},
	} {
		if _, err := LoadConfig(args, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
	in, err := LoadConfig([]string{"--mail=smtps://fechatter:secret@mail.example.org", "--mail-from=a@example.org", "--mail-password=secret", "--public-url=https://chat.example.org"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if printed := in.Config.String(); strings.Contains(printed, "secret") || !strings.Contains(printed, "fechatter:xxxxx@mail.example.org") {
		t.Errorf("printed: %s", printed)
	}
}

// TestSetupLink: the node prints one while nobody is there, and none to the log.
func TestSetupLink(t *testing.T) {
	t.Parallel()
	database := "sqlite:" + filepath.Join(t.TempDir(), "chat.db")
	greeting := func() (n *Node, said string) {
		t.Helper()
		in, err := LoadConfig([]string{"--database=" + database, "--search=bleve:" + t.TempDir(), "--listen=127.0.0.1:0", "--admin-listen=", "--drain-delay=0s"}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if n, err = Open(t.Context(), in.Config, "test", quiet()); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := n.greet(t.Context(), "test", &out); err != nil {
			t.Fatal(err)
		}
		return n, out.String()
	}
	n, said := greeting()
	link := regexp.MustCompile(`(?m)^(http://127\.0\.0\.1:\d+)/#setup=(.{43})$`).FindStringSubmatch(said)
	if link == nil || link[1] != n.URL() {
		t.Fatalf("it says %q", said)
	}
	stop := running(t, n)
	out, err := admin(t, database, "setup-code")
	if err != nil || !strings.Contains(out, "/#setup=") {
		t.Errorf("admin setup-code: %q, %v", out, err)
	}
	if _, err := n.chat.SignUp(t.Context(), chat.NewUser{Username: "root", Password: "a good password", SetupCode: link[2]}); err != nil {
		t.Fatal(err)
	}
	if out, err := admin(t, database, "setup-code"); err == nil {
		t.Errorf("with users there: %q", out)
	}
	out, err = admin(t, database, "invite", "--uses=2")
	if err != nil || !strings.Contains(out, "/#join=") {
		t.Errorf("admin invite: %q, %v", out, err)
	}
	code := strings.TrimSpace(out[strings.Index(out, "=")+1:])
	if checked, err := n.chat.CheckInvitation(t.Context(), code); err != nil || checked.InvitedBy != "Fechatter" {
		t.Errorf("the invitation: %+v, %v", checked, err)
	}
	if _, err := n.chat.SignUp(t.Context(), chat.NewUser{Username: "ann", Password: "a good password", Invitation: code}); err != nil {
		t.Error(err)
	}
	out, err = admin(t, database, "reset-link", "ann")
	if err != nil || !strings.Contains(out, "/#reset=") {
		t.Errorf("admin reset-link: %q, %v", out, err)
	}
	stop()
	n, said = greeting()
	if strings.Contains(said, "setup") {
		t.Errorf("with users there it says %q", said)
	}
	running(t, n)
}
