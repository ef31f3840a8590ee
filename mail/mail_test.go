package mail_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fechatter/mail"
	"fechatter/mail/mailtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sender(t *testing.T, c mail.Config) *mail.Sender {
	t.Helper()
	if c.From == "" {
		c.From = "Fechatter <chat@example.org>"
	}
	s, err := mail.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func reset() mail.Letter {
	return mail.Letter{Kind: mail.Reset, To: "ann@example.org", Name: "Ann", Workspace: "Acme", Link: "https://chat.example.org/#reset=abc",
		ExpiresAt: time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)}
}

// parts decodes a letter as a mail program does.
func parts(t *testing.T, data []byte) (h netmail.Header, text, html string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type: %s, %v", kind, err)
	}
	var bodies []string
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Errorf("encoding: %s", p.Header.Get("Content-Transfer-Encoding"))
		}
		b, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(b))
	}
	if len(bodies) != 2 {
		t.Fatalf("%d parts", len(bodies))
	}
	return m.Header, bodies[0], bodies[1]
}

func subject(t *testing.T, h netmail.Header) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEncryptedWays(t *testing.T) {
	for name, c := range map[string]mailtest.Config{"smtp": {Auth: true}, "smtps": {TLS: true, Auth: true}} {
		server := mailtest.Start(t, c)
		s := sender(t, mail.Config{Server: name + "://" + mailtest.User + "@" + server.Address, Password: mailtest.Password, CA: server.CA})
		if err := s.Send(t.Context(), reset(), "id-1"); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := server.Next(t)
		h, text, html := parts(t, got.Data)
		if got.From != "chat@example.org" || got.To != "ann@example.org" || h.Get("From") != `"Fechatter" <chat@example.org>` ||
			h.Get("Message-Id") != "<id-1@example.org>" || h.Get("Auto-Submitted") != "auto-generated" || subject(t, h) != "Choose a new password for Acme" {
			t.Errorf("%s: %s to %s, %v", name, got.From, got.To, h)
		}
		for _, body := range []string{text, html} {
			if !strings.Contains(body, "https://chat.example.org/#reset=abc") || !strings.Contains(body, "Hello Ann,") || !strings.Contains(body, "09:30 on 1 March 2026 (UTC)") {
				t.Errorf("%s: %s", name, body)
			}
		}
		if server.LogIns() != 1 {
			t.Errorf("%s: %d log-ins", name, server.LogIns())
		}
	}
}

// A password must not go over a line that anybody reads, nor to whoever answers.
func TestNothingIsSentUnencrypted(t *testing.T) {
	plain, secure := mailtest.Start(t, mailtest.Config{Plain: true}), mailtest.Start(t, mailtest.Config{Auth: true})
	for name, c := range map[string]mail.Config{
		"nobody who logs in":   {Server: "smtp://" + plain.Address},
		"no STARTTLS":          {Server: "smtp://" + mailtest.User + "@" + plain.Address, Password: mailtest.Password},
		"unknown certificate":  {Server: "smtp://" + mailtest.User + "@" + secure.Address, Password: mailtest.Password},
		"wrong password":       {Server: "smtp://" + mailtest.User + "@" + secure.Address, Password: "wrong", CA: secure.CA},
		"not TLS at the start": {Server: "smtps://" + secure.Address, CA: secure.CA, Timeout: time.Second},
	} {
		err := sender(t, c).Send(t.Context(), reset(), "x")
		if err == nil || mail.IsRefused(err) || strings.Contains(err.Error(), mailtest.Password) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(plain.Taken()) + len(secure.Taken()); n > 0 || secure.LogIns() > 0 {
		t.Errorf("%d letters were sent", n)
	}
	if err := sender(t, mail.Config{Server: "smtp+plain://" + plain.Address}).Send(t.Context(), reset(), "x"); err != nil {
		t.Errorf("where that is asked for: %v", err)
	}
}

// TestRefusals: only what is about the recipient or the letter is final.
func TestRefusals(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{})
	s := sender(t, mail.Config{Server: "smtp://" + server.Address, CA: server.CA})
	for code, final := range map[int]bool{450: false, 451: false, 421: false, 550: true, 553: true} {
		server.Refuse(func(string) error { return mailtest.Reply(code, "not now") })
		err := s.Send(t.Context(), reset(), "x")
		if err == nil || mail.IsRefused(err) != final || !strings.Contains(err.Error(), fmt.Sprint(code)) {
			t.Errorf("%d: final is %v: %v", code, mail.IsRefused(err), err)
		}
	}
	server.Refuse(nil)
	if err := s.Send(t.Context(), reset(), "x"); err != nil {
		t.Errorf("after the greylist: %v", err)
	}
	locked := mailtest.Start(t, mailtest.Config{Auth: true})
	err := sender(t, mail.Config{Server: "smtp://" + locked.Address, CA: locked.CA}).Send(t.Context(), reset(), "x")
	if err == nil || mail.IsRefused(err) {
		t.Errorf("a sender that must log in can be mended: %v", err)
	}
	for _, to := range []string{"", "ann", "ann@", "Ann <ann@example.org>", "ann@example.org\r\nRCPT TO:<eve@example.org>", "ann@exa mple.org", "ann@-a.org"} {
		l := reset()
		l.To = to
		if err := s.Send(t.Context(), l, "x"); !mail.IsRefused(err) {
			t.Errorf("to %q: %v", to, err)
		}
	}
}

// TestSlowServer: neither a server that never answers nor one that is not there holds anybody
// for longer than they want to wait.
func TestSlowServer(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{})
	s := sender(t, mail.Config{Server: "smtp://" + server.Address, CA: server.CA, Timeout: time.Hour})
	reached, free := make(chan struct{}), make(chan struct{})
	server.Hold(sync.OnceFunc(func() { close(reached); <-free }))
	defer close(free)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Send(ctx, reset(), "x") }()
	<-reached
	cancel()
	select {
	case err := <-ended:
		if err == nil || mail.IsRefused(err) {
			t.Errorf("given up: %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("it waits for ever")
	}
	if err := sender(t, mail.Config{Server: "smtp://127.0.0.1:1", CA: server.CA}).Send(t.Context(), reset(), "x"); err == nil || mail.IsRefused(err) {
		t.Errorf("nobody there: %v", err)
	}
}

// TestNothingAddsAHeader: whatever people call themselves, it stays in its place.
func TestNothingAddsAHeader(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{})
	s := sender(t, mail.Config{Server: "smtp://" + server.Address, CA: server.CA})
	const evil = "x\r\nBcc: eve@example.org\r\n\r\n<script>alert(1)</script> <a href=http://evil.example>"
	for _, kind := range []mail.Kind{mail.Reset, mail.Confirm, mail.Invitation, mail.PasswordChanged, mail.AddressChanged} {
		for _, language := range []string{"en", "zh", "nonsense"} {
			l := mail.Letter{Kind: kind, To: "ann@example.org", Language: language, Name: evil, Workspace: evil, By: evil, Link: "https://chat.example.org/#x=" + evil}
			if err := s.Send(t.Context(), l, "x"); err != nil {
				t.Fatal(err)
			}
			h, _, html := parts(t, server.Next(t).Data)
			if h.Get("Bcc") != "" || strings.ContainsAny(h.Get("Subject"), "\r\n") || strings.Contains(html, "<script") || strings.Contains(html, "<a href=http") {
				t.Errorf("%s, %s: %v %s", kind, language, h, html)
			}
		}
	}
	if err := s.Send(t.Context(), mail.Letter{Kind: "other", To: "ann@example.org"}, "x"); err == nil {
		t.Error("a letter of no kind is sent")
	}
}

// TestLanguages: every letter says everything in both languages.
func TestLanguages(t *testing.T) {
	server := mailtest.Start(t, mailtest.Config{})
	s := sender(t, mail.Config{Server: "smtp://" + server.Address, CA: server.CA})
	for kind, want := range map[mail.Kind][2]string{
		mail.Reset:      {"Choose a new password for Acme", "重置您在Acme的密码"},
		mail.Confirm:    {"Confirm your address for Acme", "确认您在Acme的邮箱地址"},
		mail.Invitation: {"Ben invites you to Acme", "Ben邀请您加入Acme"},

		mail.PasswordChanged: {"Your password for Acme was changed", "您在Acme的密码已更改"},
		mail.AddressChanged:  {"Your address for Acme was changed", "您在Acme的邮箱地址已更改"},
	} {
		for i, language := range []string{"en", "zh"} {
			l := reset()
			l.Kind, l.Language, l.By = kind, language, "Ben"
			if err := s.Send(t.Context(), l, "x"); err != nil {
				t.Fatal(err)
			}
			h, text, html := parts(t, server.Next(t).Data)
			if subject(t, h) != want[i] || h.Get("Content-Language") != language || !strings.Contains(html, `lang="`+language+`"`) || !strings.Contains(text, l.Link) {
				t.Errorf("%s, %s: %v\n%s", kind, language, h, text)
			}
		}
	}
}

// TestInternationalAddresses: a domain of any script can be reached by every server, a name of
// any script by those that take it.
func TestInternationalAddresses(t *testing.T) {
	old, modern := mailtest.Start(t, mailtest.Config{}), mailtest.Start(t, mailtest.Config{SMTPUTF8: true})
	send := func(server *mailtest.Server, to string) error {
		l := reset()
		l.To = to
		return sender(t, mail.Config{Server: "smtp://" + server.Address, CA: server.CA}).Send(t.Context(), l, "x")
	}
	for _, server := range []*mailtest.Server{old, modern} {
		if err := send(server, "ann@bücher.example"); err != nil {
			t.Fatal(err)
		}
		if got := server.Next(t).To; got != "ann@xn--bcher-kva.example" {
			t.Errorf("sent to %s", got)
		}
	}
	if err := send(modern, "用户@例子.广告"); err != nil {
		t.Fatal(err)
	}
	if got := modern.Next(t); got.To != "用户@xn--fsqu00a.xn--4rr70v" || !got.UTF8 {
		t.Errorf("sent to %s, UTF-8 %v", got.To, got.UTF8)
	}
}

func TestSettings(t *testing.T) {
	for want, c := range map[string]mail.Config{
		"mail: use smtp://":               {Server: "smtp://"},
		"unknown scheme \"http:\"":        {Server: "http://mail.example.org", From: "a@example.org"},
		"mail_from: \"nobody\" is not":    {Server: "smtp://mail.example.org", From: "nobody"},
		"mail: use smtp://USER@HOST:587 ": {Server: "smtp://user:secret@mail.example.org/path", From: "a@example.org"},
		"mail_ca: ":                       {Server: "smtp://mail.example.org", From: "a@example.org", CA: "/nowhere"},
	} {
		_, err := mail.New(c)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v, want %q", c, err, want)
		}
	}
}
