package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"fechatter/client"
)

// onceTimeout bounds a request before or after the work, which nobody repeats.
const onceTimeout = time.Minute

// person is a user with a session.
type person struct {
	name, id string
	client   client.Client // at no node
	patience time.Duration // of one request
}

// at is the person at a node.
func (p *person) at(node string) client.Client {
	c := p.client
	c.URL = node
	return c
}

// rest makes one request at a node.
func (p *person) rest(ctx context.Context, node, method, path string, body, out any, headers ...string) error {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	return p.at(node).Call(ctx, method, path, body, out, headers...)
}

// get reads a document from any node that answers.
func (p *person) get(ctx context.Context, nodes []string, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, onceTimeout)
	defer cancel()
	var last error
	for _, node := range nodes {
		err := p.at(node).Call(ctx, http.MethodGet, path, nil, into)
		if err == nil {
			return nil
		}
		last = errors.Join(last, err)
	}
	return fmt.Errorf("GET %s: %w", path, last)
}

const password = "correct horse"

// signUp makes an account and logs in.
func signUp(ctx context.Context, l *Load, node, name string) (*person, error) {
	ctx, cancel := context.WithTimeout(ctx, onceTimeout)
	defer cancel()
	p := &person{name: name, client: client.Client{HTTP: l.http}, patience: l.cfg.Patience}
	var err error
	if p.id, err = p.at(node).SignUp(ctx, name, password); err != nil {
		return nil, fmt.Errorf("sign up %s: %w", name, err)
	}
	if p.client.Token, err = p.at(node).LogIn(ctx, name, password); err != nil {
		return nil, fmt.Errorf("log in %s: %w", name, err)
	}
	return p, nil
}

// makeChat makes a group and returns its id.
func (p *person) makeChat(ctx context.Context, node string, members []string) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, onceTimeout)
	defer cancel()
	var c struct{ ID string }
	err = p.at(node).Call(ctx, http.MethodPost, "/chats", map[string]any{"kind": "group", "member_ids": members}, &c)
	if err != nil {
		return "", fmt.Errorf("make chat: %w", err)
	}
	return c.ID, nil
}
