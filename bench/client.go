package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"
)

// user is a signed-up user with a session.
type user struct {
	url, id, token string
	team           *team
}

// team is users who share chats that nobody else is in.
type team struct {
	users       []*user
	chats       []string
	connections int // that belong to its users
}

func signUp(ctx context.Context, url, name string) (*user, error) {
	u := &user{url: url}
	var made struct{ ID, Token string }
	login := map[string]any{"username": name, "password": "correct horse"}
	if err := u.post(ctx, "/users", login, "", &made); err != nil {
		return nil, err
	}
	u.id = made.ID
	if err := u.post(ctx, "/sessions", login, "", &made); err != nil {
		return nil, err
	}
	u.token = made.Token
	return u, nil
}

func (u *user) post(ctx context.Context, path string, body any, key string, out any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url+"/api/v1"+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+u.token)
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("POST %s: %d %s", path, res.StatusCode, answer)
	}
	return json.Unmarshal(answer, out)
}

// setUp makes the users, divided into teams of o.members, each with o.chats chats.
func setUp(ctx context.Context, url string, o options) ([]*user, error) {
	users := make([]*user, o.users)
	err := each(ctx, len(users), func(i int) (err error) {
		users[i], err = signUp(ctx, url, fmt.Sprintf("user-%d", i))
		return err
	})
	if err != nil {
		return nil, err
	}
	var teams []*team
	for members := range slices.Chunk(users, min(o.members, len(users))) {
		t := &team{users: members}
		for _, u := range members {
			u.team = t
		}
		teams = append(teams, t)
	}
	return users, each(ctx, len(teams), func(i int) error { return teams[i].makeChats(ctx, o.chats) })
}

// makeChats gives the team its chats.
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
		if err := first.post(ctx, "/chats", chat, "", &c); err != nil {
			return err
		}
		for i := atOnce; i < len(ids); i++ {
			var m struct{}
			if err := first.post(ctx, "/chats/"+c.ID+"/members", map[string]any{"user_id": ids[i]}, "", &m); err != nil {
				return err
			}
		}
		t.chats = append(t.chats, c.ID)
	}
	return nil
}

// each calls f for 0 … n-1, some at once, and gives the first error.
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

// frame is what the measurements read of what the server says.
type frame struct {
	Re     string `json:"re"`
	Op     string `json:"op"`
	ChatID string `json:"chat_id"`
	Seq    int64  `json:"seq"`
	D      struct {
		Key  string `json:"key"`
		Code string `json:"code"`

		RetryAfterMS int64 `json:"retry_after_ms"` // of drain
		Chats        []struct {
			ID      string `json:"id"`
			LastSeq int64  `json:"last_seq"`
		} `json:"chats"` // of chats
	} `json:"d"`
}

// connect opens a WebSocket to a node and resumes it from the cursors, nil for a
// fresh start. seen gets every frame up to ready.
func (u *user) connect(ctx context.Context, url string, cursors map[string]int64, seen func(frame)) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, strings.Replace(url, "http", "ws", 1)+"/ws", //nolint:bodyclose // Dial says: never close it yourself
		&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + u.token}}})
	if err != nil {
		return nil, err
	}
	if err := resume(ctx, ws, cursors, seen); err != nil {
		return nil, errors.Join(err, ws.CloseNow())
	}
	return ws, nil
}

func resume(ctx context.Context, ws *websocket.Conn, cursors map[string]int64, seen func(frame)) error {
	ws.SetReadLimit(-1)
	b, err := json.Marshal(map[string]any{"id": "r", "op": "resume", "d": map[string]any{"cursors": cursors}})
	if err != nil {
		return err
	}
	if err := ws.Write(ctx, websocket.MessageText, b); err != nil {
		return err
	}
	for {
		f, err := read(ctx, ws)
		if err != nil {
			return err
		}
		seen(f)
		if f.Op == "ready" {
			return nil
		}
	}
}

func read(ctx context.Context, ws *websocket.Conn) (f frame, err error) {
	_, data, err := ws.Read(ctx)
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(data, &f)
}
