package client

import (
	"maps"
	"net/http"

	"fechatter/client"
)

// Person is a user with a session.
type Person struct {
	t     T
	URL   string
	ID    string
	Name  string
	Token string
}

// Password is everybody's.
const Password = "correct horse"

// SignUp makes an account at a server and logs in.
func SignUp(t T, url, name string) *Person {
	t.Helper()
	return SignUpWith(t, url, name, nil)
}

// SignUpWith is SignUp with further fields, such as the code of an invitation.
func SignUpWith(t T, url, name string, fields map[string]any) *Person {
	t.Helper()
	p := &Person{t: t, URL: url, Name: name}
	body := map[string]any{"username": name, "password": Password}
	maps.Copy(body, fields)
	var user struct{ ID string }
	p.Rest("POST", "/users", body, http.StatusCreated, &user)
	p.ID = user.ID
	p.Token = p.Login("laptop")
	return p
}

// Login opens one more session and returns its token.
func (p *Person) Login(device string) string {
	p.t.Helper()
	var session struct{ Token string }
	p.Rest("POST", "/sessions", map[string]any{"username": p.Name, "password": Password, "device": device}, http.StatusCreated, &session)
	return session.Token
}

// Rest makes one request, again when the server asks to come back later, expects a
// status, and reads the answer into out, which may be nil.
func (p *Person) Rest(method, path string, body any, status int, out any, headers ...string) http.Header {
	p.t.Helper()
	ask := p.Ask
	if status == http.StatusTooManyRequests {
		ask = p.Do
	}
	a := ask(method, path, body, headers...)
	if a.Status != status {
		p.t.Fatalf("%s %s: status %d, want %d: %.1000s", method, path, a.Status, status, a.Body)
	}
	if out != nil {
		a.Read(p.t, out)
	}
	return a.Header
}

// Ask is Do, repeated while the server asks to come back later.
func (p *Person) Ask(method, path string, body any, headers ...string) Answer {
	p.t.Helper()
	for tries := 1; ; tries++ {
		a := p.Do(method, path, body, headers...)
		if a.Status != http.StatusTooManyRequests || tries == maxTries {
			return a
		}
		pause(p.t, a.wait())
	}
}

// Do makes one request below /api/v1. A body of bytes is sent as it is, any other
// as JSON; headers are names and values in turn, of which an empty value removes one.
func (p *Person) Do(method, path string, body any, headers ...string) Answer {
	p.t.Helper()
	a, err := p.client().Do(p.t.Context(), method, path, body, headers...)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	return Answer{a}
}

func (p *Person) client() client.Client {
	return client.Client{URL: p.URL, Token: p.Token, HTTP: httpOf(p.t)}
}

// Group makes a group chat with the others as members.
func (p *Person) Group(others ...*Person) string {
	p.t.Helper()
	ids := []string{}
	for _, o := range others {
		ids = append(ids, o.ID)
	}
	var c struct{ ID string }
	p.Rest("POST", "/chats", map[string]any{"kind": "group", "member_ids": ids}, http.StatusCreated, &c)
	return c.ID
}

// Say sends a message by REST and returns its seq.
func (p *Person) Say(chatID, body string) int64 {
	p.t.Helper()
	var m struct{ Seq int64 }
	p.Rest("POST", "/chats/"+chatID+"/messages", map[string]any{"body": body}, http.StatusCreated, &m, "Idempotency-Key", NewKey())
	return m.Seq
}

// T is the test that p belongs to.
func (p *Person) T() T { return p.t }

// On returns the same person at another node.
func (p *Person) On(url string) *Person {
	q := *p
	q.URL = url
	return &q
}

// As returns the same person in another test, with another token if it is not empty.
func (p *Person) As(t T, token string) *Person {
	q := *p
	q.t = t
	if token != "" {
		q.Token = token
	}
	return &q
}

// NewKey returns a new idempotency key, which also serves as the id of a command.
func NewKey() string { return client.NewKey() }
