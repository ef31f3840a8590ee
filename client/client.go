// Package client speaks the wire contract of docs/protocol.md, version 1:
// requests, and WebSocket connections with commands, answers and frames in order.
// It knows nothing of the server, and keeps no state of its own: when to come back
// and where to resume from is up to its caller.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/google/uuid"
)

// Client is somebody at a server. It may be copied, and its methods may be called
// concurrently.
type Client struct {
	URL   string       // of the server, such as https://chat.example.org
	Token string       // of the session; empty for nobody
	HTTP  *http.Client // nil: http.DefaultClient
}

// Answer is what the server said to a request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Problem is a refusal, of a request or of a command.
type Problem struct {
	Status       int    `json:"status"`
	Code         string `json:"code"`
	Detail       string `json:"detail"`
	RetryAfterMS int64  `json:"retry_after_ms"`
}

// Error is the code and what the server says about it.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// NewKey returns a new idempotency key, which also serves as the id of a command.
func NewKey() string { return uuid.NewString() }

// SignUp makes an account and returns its id.
func (c Client) SignUp(ctx context.Context, username, password string) (id string, err error) {
	var user struct{ ID string }
	err = c.Call(ctx, http.MethodPost, "/users", map[string]any{"username": username, "password": password}, &user)
	return user.ID, err
}

// LogIn opens a session and returns its token.
func (c Client) LogIn(ctx context.Context, username, password string) (token string, err error) {
	var session struct{ Token string }
	err = c.Call(ctx, http.MethodPost, "/sessions", map[string]any{"username": username, "password": password}, &session)
	return session.Token, err
}

// Call makes a request and decodes the answer into out, unless that is nil. The
// error is a *Problem if the server refuses; after any other error it is not known
// whether the request had an effect. The rest is as for Do.
func (c Client) Call(ctx context.Context, method, path string, body, out any, headers ...string) error {
	a, err := c.Do(ctx, method, path, body, headers...)
	if err != nil {
		return err
	}
	if a.Status >= http.StatusMultipleChoices {
		p := &Problem{Status: a.Status}
		if err := json.Unmarshal(a.Body, p); err != nil {
			return fmt.Errorf("%s %s: status %d: %w", method, path, a.Status, err)
		}
		return p
	}
	if out == nil || len(a.Body) == 0 {
		return nil
	}
	if err := json.Unmarshal(a.Body, out); err != nil {
		return fmt.Errorf("%s %s: read answer: %w", method, path, err)
	}
	return nil
}

// Do makes a request for a path below /api/v1. A body of bytes is sent as it is,
// any other as JSON. Headers are names and values in turn; an empty value removes
// a header.
func (c Client) Do(ctx context.Context, method, path string, body any, headers ...string) (Answer, error) {
	data, err := encode(body)
	if err != nil {
		return Answer{}, err
	}
	header := http.Header{}
	if data != nil {
		header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		header.Set("Authorization", "Bearer "+c.Token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			header.Del(headers[i])
			continue
		}
		header.Set(headers[i], headers[i+1])
	}
	return c.Fetch(ctx, method, "/api/v1"+path, data, header)
}

// Fetch makes a request for any path of the server, without adding headers. Of an
// event stream or an upgrade, which have no end, it reads only the head.
func (c Client) Fetch(ctx context.Context, method, path string, body []byte, header http.Header) (Answer, error) {
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, r)
	if err != nil {
		return Answer{}, err
	}
	req.Header = header
	req.Host = header.Get("Host") // "": that of the URL
	res, err := c.http().Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	a := Answer{Status: res.StatusCode, Header: res.Header}
	if a.Status == http.StatusSwitchingProtocols || a.Header.Get("Content-Type") == "text/event-stream" {
		return a, nil
	}
	if a.Body, err = io.ReadAll(res.Body); err != nil {
		return Answer{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return a, nil
}

func (c Client) http() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return http.DefaultClient
}

func encode(body any) ([]byte, error) {
	if raw, ok := body.([]byte); ok || body == nil {
		return raw, nil
	}
	return json.Marshal(body)
}
