package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// user is a signed-up user with a session.
type user struct {
	url, id, token string
}

func signUp(ctx context.Context, url, name string) (*user, error) {
	u := &user{url: url}
	var made struct{ ID, Token string }
	login := map[string]any{"username": name, "password": "correct horse"}
	if err := u.post(ctx, "/users", login, &made); err != nil {
		return nil, err
	}
	u.id = made.ID
	if err := u.post(ctx, "/sessions", login, &made); err != nil {
		return nil, err
	}
	u.token = made.Token
	return u, nil
}

func (u *user) post(ctx context.Context, path string, body, out any) error {
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

// setUp makes the users and the chats that all of them are members of.
func setUp(ctx context.Context, s *server, users, chats int) (all []*user, chatIDs []string, err error) {
	var ids []string
	for i := range users {
		u, err := signUp(ctx, s.url, fmt.Sprintf("user-%d", i))
		if err != nil {
			return nil, nil, err
		}
		all, ids = append(all, u), append(ids, u.id)
	}
	for range chats {
		var c struct{ ID string }
		err := all[0].post(ctx, "/chats", map[string]any{"kind": "private", "name": "bench", "member_ids": ids[1:min(len(ids), 100)]}, &c)
		if err != nil {
			return nil, nil, err
		}
		for i := 100; i < len(ids); i++ {
			var m struct{}
			if err := all[0].post(ctx, "/chats/"+c.ID+"/members", map[string]any{"user_id": ids[i]}, &m); err != nil {
				return nil, nil, err
			}
		}
		chatIDs = append(chatIDs, c.ID)
	}
	return all, chatIDs, nil
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
	} `json:"d"`
}

// connect opens a WebSocket and resumes it.
func (u *user) connect(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, strings.Replace(u.url, "http", "ws", 1)+"/ws", //nolint:bodyclose // Dial says: never close it yourself
		&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + u.token}}})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1)
	if err := ws.Write(ctx, websocket.MessageText, []byte(`{"id":"r","op":"resume","d":{}}`)); err != nil {
		return nil, err
	}
	for {
		f, err := read(ctx, ws)
		if err != nil {
			return nil, err
		}
		if f.Op == "ready" {
			return ws, nil
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
