package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"fechatter/client"
)

// user is a signed-up user with a session.
type user struct {
	client.Client
	id   string
	name string
	team *team
}

// team is users who share chats that nobody else is in.
type team struct {
	users       []*user
	chats       []string
	connections int // of its users
}

// password is everybody's.
const password = "correct horse"

// signUp makes an account by a client that is nobody yet, and logs in.
func signUp(ctx context.Context, nobody client.Client, name string) (*user, error) {
	u := &user{Client: nobody, name: name}
	var err error
	if u.id, err = u.SignUp(ctx, name, password); err != nil {
		return nil, err
	}
	u.Token, err = u.LogIn(ctx, name, password)
	return u, err
}

func (u *user) post(ctx context.Context, path string, body, out any) error {
	return u.Call(ctx, http.MethodPost, path, body, out)
}

// send sends a message by REST and returns its seq.
func (u *user) send(ctx context.Context, chat, key, body string) (seq int64, err error) {
	var m struct{ Seq int64 }
	err = u.Call(ctx, http.MethodPost, "/chats/"+chat+"/messages", map[string]any{"body": body}, &m, "Idempotency-Key", key)
	return m.Seq, err
}

// setUp makes the users, divided into teams of o.members, each with o.chats chats.
func setUp(ctx context.Context, url string, o options) ([]*user, error) {
	users := make([]*user, o.users)
	err := each(ctx, len(users), func(i int) (err error) {
		users[i], err = signUpPatiently(ctx, client.Client{URL: url}, fmt.Sprintf("user-%d", i))
		return err
	})
	if err != nil {
		return nil, err
	}
	return users, teamUp(ctx, users, o)
}

// teamUp divides the users into teams of o.members, each with o.chats chats.
func teamUp(ctx context.Context, users []*user, o options) error {
	var teams []*team
	for members := range slices.Chunk(users, min(o.members, len(users))) {
		t := &team{users: members}
		for _, u := range members {
			u.team = t
		}
		teams = append(teams, t)
	}
	return each(ctx, len(teams), func(i int) error { return teams[i].makeChats(ctx, o.chats) })
}

// makeChats makes the team's chats.
func (t *team) makeChats(ctx context.Context, n int) error {
	var ids []string
	for _, u := range t.users {
		ids = append(ids, u.id)
	}
	const atOnce = 100 // members that a new chat may name
	first := t.users[0]
	for range n {
		var c struct{ ID string }
		chat := map[string]any{"kind": "private", "name": "bench", "member_ids": ids[1:min(len(ids), atOnce)]}
		if err := first.post(ctx, "/chats", chat, &c); err != nil {
			return err
		}
		for i := atOnce; i < len(ids); i++ {
			if err := first.post(ctx, "/chats/"+c.ID+"/members", map[string]any{"user_id": ids[i]}, nil); err != nil {
				return err
			}
		}
		t.chats = append(t.chats, c.ID)
	}
	return nil
}

// each calls f for 0 … n-1, some at once, and returns the first error.
func each(ctx context.Context, n int, f func(i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i := range n {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return f(i)
		})
	}
	return g.Wait()
}

// details is what the measurements read in a frame's d.
type details struct {
	Key          string `json:"key"`            // of message.created
	RetryAfterMS int64  `json:"retry_after_ms"` // of drain
	Chats        []struct {
		ID      string `json:"id"`
		LastSeq int64  `json:"last_seq"`
	} `json:"chats"` // of chats
}

func detailsOf(f client.Frame) (d details) {
	_ = json.Unmarshal(f.D, &d) // a frame without these has none of them
	return d
}

// connect opens a WebSocket to a node and resumes it from the cursors, nil for a
// fresh start. It calls seen with every frame up to ready.
func (u *user) connect(ctx context.Context, url string, cursors map[string]int64, seen func(client.Frame)) (*client.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	at := u.Client
	at.URL = url
	conn, err := at.Dial(ctx, client.DialOptions{})
	if err != nil {
		return nil, err
	}
	if err := conn.Resume(ctx, client.Resume{Cursors: cursors}, seen); err != nil {
		return nil, errors.Join(err, conn.CloseNow())
	}
	return conn, nil
}

// readUntilClosed discards what a connection brings.
func readUntilClosed(ctx context.Context, conn *client.Conn) {
	for {
		if _, err := conn.Read(ctx); err != nil {
			_ = conn.CloseNow()
			return
		}
	}
}
