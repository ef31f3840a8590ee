package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// restTimeout is the patience of one call: below the server's own, so that what is
// repeated may still be under way.
const restTimeout = 4 * time.Second

// person is a user with a session.
type person struct {
	name, id, token string
	http            *http.Client
}

// rest makes one call and gives the answer's body. The error is a *refusal or
// wraps errNoAnswer.
func (p *person) rest(ctx context.Context, method, url string, body any, headers ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, restTimeout)
	defer cancel()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, r)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := p.http.Do(req)
	if err != nil {
		return nil, errors.Join(errNoAnswer, err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, errors.Join(errNoAnswer, err)
	}
	if res.StatusCode >= 300 {
		_, err := parseAnswer(data, true)
		return nil, err
	}
	return data, nil
}

// get reads a JSON document from any node that answers.
func (p *person) get(ctx context.Context, urls []string, path string, into any) error {
	var last error
	for _, url := range urls {
		data, err := p.rest(ctx, http.MethodGet, url+"/api/v1"+path, nil)
		if err == nil {
			return json.Unmarshal(data, into)
		}
		last = errors.Join(last, err)
	}
	return fmt.Errorf("GET %s: %w", path, last)
}

const password = "correct horse"

// signUp makes a user and logs in.
func signUp(ctx context.Context, client *http.Client, url, name string) (*person, error) {
	p := &person{name: name, http: client}
	data, err := p.rest(ctx, http.MethodPost, url+"/api/v1/users", map[string]any{"username": name, "password": password})
	if err != nil {
		return nil, fmt.Errorf("sign up %s: %w", name, err)
	}
	var user struct{ ID string }
	if err := json.Unmarshal(data, &user); err != nil {
		return nil, fmt.Errorf("sign up %s: %w", name, err)
	}
	p.id = user.ID
	data, err = p.rest(ctx, http.MethodPost, url+"/api/v1/sessions", map[string]any{"username": name, "password": password})
	if err != nil {
		return nil, fmt.Errorf("log in %s: %w", name, err)
	}
	var session struct{ Token string }
	if err := json.Unmarshal(data, &session); err != nil {
		return nil, fmt.Errorf("log in %s: %w", name, err)
	}
	p.token = session.Token
	return p, nil
}
