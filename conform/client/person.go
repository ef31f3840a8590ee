package client

import (
	"net/http"

	"github.com/google/uuid"
)

// Person is a signed-up user with a token.
type Person struct {
	t     T
	URL   string
	ID    string
	Name  string
	Token string
}

// Password is everybody's.
const Password = "correct horse"

// SignUp makes a user at a server and logs in.
func SignUp(t T, url, name string) *Person {
	t.Helper()
	p := &Person{t: t, URL: url, Name: name}
	var user struct{ ID string }
	p.Rest("POST", "/users", map[string]any{"username": name, "password": Password}, http.StatusCreated, &user)
	p.ID = user.ID
	p.Token = p.Login("laptop")
	return p
}

func (p *Person) Login(device string) string {
	p.t.Helper()
	var session struct{ Token string }
	p.Rest("POST", "/sessions", map[string]any{"username": p.Name, "password": Password, "device": device}, http.StatusCreated, &session)
	return session.Token
}

// Rest makes one REST call, again when the server asks for time, and reads the
// answer into out, which may be nil.
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

// Ask is Do, again for as long as the answer is to wait and come back.
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

// Do makes one REST call. A body of bytes is sent as it is, anything else as JSON.
func (p *Person) Do(method, path string, body any, headers ...string) Answer {
	p.t.Helper()
	header := http.Header{}
	if body != nil {
		header.Set("Content-Type", "application/json")
	}
	if p.Token != "" {
		header.Set("Authorization", "Bearer "+p.Token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			header.Del(headers[i])
			continue
		}
		header.Set(headers[i], headers[i+1])
	}
	return Do(p.t, method, p.URL+"/api/v1"+path, encode(p.t, body), header)
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

// Say sends over REST and gives the seq.
func (p *Person) Say(chatID, body string) int64 {
	p.t.Helper()
	var m struct{ Seq int64 }
	p.Rest("POST", "/chats/"+chatID+"/messages", map[string]any{"body": body}, http.StatusCreated, &m, "Idempotency-Key", NewKey())
	return m.Seq
}

// T is the test that p is of.
func (p *Person) T() T { return p.t }

// On gives the same person at another node.
func (p *Person) On(url string) *Person {
	q := *p
	q.URL = url
	return &q
}

// As gives the same person to another test, with another token if it is not empty.
func (p *Person) As(t T, token string) *Person {
	q := *p
	q.t = t
	if token != "" {
		q.Token = token
	}
	return &q
}

// NewKey gives an idempotency key or a command id.
func NewKey() string { return uuid.NewString() }
