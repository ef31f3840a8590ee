package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/uuid"

	"fechatter/chat"
	"fechatter/files"
	"fechatter/hub"
	passwords "fechatter/password"
	"fechatter/persistence"
	"fechatter/presence"
	"fechatter/signin"
	"fechatter/timeline"
)

// plainPasswords costs nothing: hashes are tested in package password.
type plainPasswords struct{}

func (plainPasswords) Hash(_ context.Context, pw string) (string, error) { return "plain:" + pw, nil }
func (plainPasswords) Verify(_ context.Context, hash, pw string) (bool, error) {
	return hash == "plain:"+pw, nil
}
func (plainPasswords) VerifyNone(context.Context, string) error { return nil }
func (plainPasswords) Common(pw string) bool                    { return passwords.New(1).Common(pw) }

// node is the REST side of a server over a database of its own.
type node struct {
	t       *testing.T
	server  *Server
	handler http.Handler
	heard   *heard
}

// newNode starts one, without rate limits unless change sets them.
func newNode(t *testing.T, change func(*Config)) *node {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	newID := func() string { return uuid.Must(uuid.NewV7()).String() }
	events := &heard{}
	cfg := persistence.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")}
	store, err := persistence.Open(t.Context(), cfg, events, newID, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- store.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run store: %v", err)
		}
		if err := store.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	folder := t.TempDir()
	blobs, err := files.Open(t.Context(), "folder:"+filepath.Join(folder, "files"))
	if err != nil {
		t.Fatal(err)
	}
	library := files.NewLibrary(blobs, store, newID, "", chat.DefaultLimits())
	uploads, err := files.NewUploads(filepath.Join(folder, "uploads"), library)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Limits: DefaultLimits(), Version: "test"}
	c.Limits.SendsPerSecond = 0
	if change != nil {
		change(&c)
	}
	svc := chat.NewService(store, plainPasswords{}, newID, store.Secret(), chat.DefaultLimits()).WithSignIn(chat.SignIn{Codes: signin.NewTOTP("Fechatter"), Passkeys: signin.NewPasskeys("Fechatter")})
	s, err := New(c, Deps{Chat: svc, Search: chat.NewSearch(store, nil), Presence: here{presence.New(presence.Config{}, presence.NewMemory(), svc, void{}, quiet)},
		Hub: hub.New(hub.Config{}, void{}, void{}, quiet), Log: quiet, Timeline: ownBook{timeline.New("test")}, Files: library, Uploads: uploads})
	if err != nil {
		t.Fatal(err)
	}
	return &node{t: t, server: s, handler: s.Handler(), heard: events}
}

// ownBook is the timeline of a node without others to ask.
type ownBook struct{ *timeline.Book }

func (b ownBook) Nodes(_ context.Context, chatID string, seq int64) []timeline.Stages {
	if s, known := b.Of(chatID, seq); known {
		return []timeline.Stages{s}
	}
	return nil
}

// here is presence as the server uses it.
type here struct{ *presence.Tracker }

func (h here) Join(userID string, push func([]chat.Presence)) Device {
	return h.Tracker.Join(userID, push)
}

// answer is what came back; body is nil without one.
type answer struct {
	status int
	header http.Header
	raw    []byte
	body   map[string]any
}

// field returns a field of the body as text, numbers without a fraction.
func (a answer) field(name string) string { return textOf(a.body[name]) }

func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// list returns a field of the body as a list of objects.
func (a answer) list(t *testing.T, name string) []map[string]any {
	t.Helper()
	items, ok := a.body[name].([]any)
	if !ok {
		t.Fatalf("%s is not a list in %s", name, a.raw)
	}
	var objects []map[string]any
	for _, item := range items {
		object, ok := item.(map[string]any)
		if !ok {
			t.Fatalf("%s holds %v", name, item)
		}
		objects = append(objects, object)
	}
	return objects
}

// person is a user with a token.
type person struct {
	n               *node
	id, name, token string
	as              string // in whose name a key acts; "": its own
}

const password = "correct horse"

func (n *node) person(name string) *person {
	n.t.Helper()
	p := &person{n: n, name: name}
	p.id = p.want(201, "POST", "/users", object{"username": name, "password": password}).field("id")
	p.logIn()
	return p
}

func (p *person) logIn() {
	p.n.t.Helper()
	p.token = p.want(201, "POST", "/sessions", object{"username": p.name, "password": password, "device": "test"}).field("token")
}

// do sends a request; headers come in pairs.
func (p *person) do(method, path string, body any, headers ...string) answer {
	p.n.t.Helper()
	var data io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			p.n.t.Fatal(err)
		}
		data = bytes.NewReader(encoded)
	}
	r := httptest.NewRequest(method, v1+path, data)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	if p.as != "" {
		r.Header.Set(userHeader, p.as)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := serve(p.n.handler, r)
	a := answer{status: w.Code, header: w.Header(), raw: w.Body.Bytes()}
	if len(a.raw) > 0 {
		if err := json.Unmarshal(a.raw, &a.body); err != nil {
			p.n.t.Fatalf("%s %s: %v in %q", method, path, err, a.raw)
		}
	}
	return a
}

// want is do for an expected status.
func (p *person) want(status int, method, path string, body any, headers ...string) answer {
	p.n.t.Helper()
	a := p.do(method, path, body, headers...)
	if a.status != status {
		p.n.t.Fatalf("%s %s by %s: got %d %s, want %d", method, path, p.name, a.status, a.raw, status)
	}
	return a
}

// anHour reports whether whoever is refused is told to come back when a limiter of an hour has
// something again, on whatever machine the test takes a while.
func anHour(a answer) bool {
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	return err == nil && seconds <= 3600 && seconds > 3000
}

// refused is do for a problem with an expected code.
func (p *person) refused(code chat.Code, method, path string, body any, headers ...string) answer {
	p.n.t.Helper()
	a := p.do(method, path, body, headers...)
	if a.status != statusOf(code) || a.field("code") != string(code) || a.header.Get("Content-Type") != problemType {
		p.n.t.Errorf("%s %s by %s: got %d %s, want %s", method, path, p.name, a.status, a.raw, code)
	}
	return a
}

// send posts a message under a key of its own.
func (p *person) send(chatID, body string) answer {
	p.n.t.Helper()
	return p.want(201, "POST", "/chats/"+chatID+"/messages", object{"body": body}, "Idempotency-Key", uuid.NewString())
}

// group makes a group chat of p and others.
func (p *person) group(others ...*person) string {
	p.n.t.Helper()
	return p.chat("group", others...)
}

// chat makes a chat of a kind.
func (p *person) chat(kind string, others ...*person) string {
	p.n.t.Helper()
	ids := []string{}
	for _, o := range others {
		ids = append(ids, o.id)
	}
	return p.want(201, "POST", "/chats", object{"kind": kind, "name": "a group", "member_ids": ids}).field("id")
}
