package client

import (
	"bytes"
	"encoding/json"
	"io"
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

// Rest makes one REST call and reads the answer into out, which may be nil.
func (p *Person) Rest(method, path string, body any, status int, out any, headers ...string) http.Header {
	p.t.Helper()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			p.t.Fatalf("%v", err)
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.URL+"/api/v1"+path, r)
	if err != nil {
		p.t.Fatalf("%v", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if p.Token != "" {
		req.Header.Set("Authorization", "Bearer "+p.Token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatalf("%v", err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatalf("%v", err)
	}
	if res.StatusCode != status {
		p.t.Fatalf("%s %s: status %d, want %d: %s", method, path, res.StatusCode, status, answer)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			p.t.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
	return res.Header
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
