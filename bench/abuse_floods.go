package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"fechatter/client"
)

// atOnce is how many attempts an attacker has under way.
const atOnce = 32

// flood is one kind of abuse. run returns once ctx has ended.
type flood struct {
	name string
	run  func(ctx context.Context, t *attempts)
}

// floods are in an order in which the later ones find what the earlier ones have left:
// chats without end in the accounts that resume and search.
func (a *arena) floods() []flood {
	return []flood{
		{"sends", a.sends},
		{"groups of 100", a.groups},
		{"directs with one victim", a.directs},
		{"guesses at one account", a.guesses},
		{"joining and leaving", a.joins},
		{"topics", a.topics},
		{"idle and half-sent requests", a.idleSockets},
		{"control frames before authentication", func(ctx context.Context, t *attempts) { a.controlFrames(ctx, t, false) }},
		{"control frames after it", func(ctx context.Context, t *attempts) { a.controlFrames(ctx, t, true) }},
		{"resumes", a.resumes},
		{"searches", a.searches},
		{"event streams", a.streams},
	}
}

// account returns one of the accounts that do what an account is limited in.
func (a *arena) account(i int) *user { return a.accounts[i%attackers] }

func (u *user) makeChat(ctx context.Context, kind string, with ...string) (string, error) {
	var chat struct{ ID string }
	err := u.post(ctx, "/chats", map[string]any{"kind": kind, "member_ids": with}, &chat)
	return chat.ID, err
}

// sends writes messages to the victim into sockets, whatever the answers are.
func (a *arena) sends(ctx context.Context, t *attempts) {
	conns := sync.Map{} // by account
	t.work(ctx, atOnce, func(ctx context.Context, i int) error {
		u := a.account(i)
		s, ok := conns.Load(u)
		if !ok {
			chat, err := u.makeChat(ctx, "direct", a.victim().id)
			if err != nil {
				return err
			}
			conn, err := u.connect(ctx, a.url, nil, func(client.Frame) {})
			if err != nil {
				return err
			}
			s = &spammer{conn: conn, chat: chat}
			conns.Store(u, s)
			go s.(*spammer).read(ctx, t, func() { conns.CompareAndDelete(u, s) })
		}
		key := client.NewKey()
		_ = s.(*spammer).conn.Write(ctx, key, "message.send", message{s.(*spammer).chat, key, usual}) // read tells how it ends
		return nil
	})
}

// spammer is a socket that sends without listening.
type spammer struct {
	conn *client.Conn
	chat string
}

func (s *spammer) read(ctx context.Context, t *attempts, ended func()) {
	defer ended()
	for {
		f, err := s.conn.Read(ctx)
		if err == nil {
			err = f.Err()
		}
		t.note(ctx, err)
		if f.Op == "" {
			_ = s.conn.CloseNow()
			return
		}
	}
}

// groups puts the victim and many others into groups of as many as a chat may begin with.
func (a *arena) groups(ctx context.Context, t *attempts) {
	with := []string{a.victim().id}
	for _, u := range a.accounts[1:min(groupSize, len(a.accounts))] {
		with = append(with, u.id)
	}
	t.work(ctx, atOnce, func(ctx context.Context, _ int) error {
		_, err := a.accounts[0].makeChat(ctx, "group", with...)
		return err
	})
}

// directs has every account write to the victim, and those who did write again.
func (a *arena) directs(ctx context.Context, t *attempts) {
	t.work(ctx, atOnce, func(ctx context.Context, i int) error {
		u := a.accounts[i%len(a.accounts)]
		chat, err := u.makeChat(ctx, "direct", a.victim().id)
		if err == nil {
			_, err = u.send(ctx, chat, client.NewKey(), usual)
		}
		return err
	})
}

// guesses tries passwords of the victim, each from an address in a network of its own.
func (a *arena) guesses(ctx context.Context, t *attempts) {
	t.work(ctx, 4*atOnce, func(ctx context.Context, i int) error {
		guesser := client.Client{URL: a.url, HTTP: a.from(fmt.Sprintf("100.%d.%d.9", 64+i>>8&63, i&255))}
		_, err := guesser.LogIn(ctx, a.victim().name, fmt.Sprintf("guess number %d", i))
		return err
	})
}

// joins toggles memberships of a public chat.
func (a *arena) joins(ctx context.Context, t *attempts) {
	t.work(ctx, atOnce, func(ctx context.Context, i int) error {
		u := a.account(i)
		if i/attackers%2 == 0 {
			return u.post(ctx, "/chats/"+a.public+"/join", nil, nil)
		}
		return u.Call(ctx, http.MethodDelete, "/chats/"+a.public+"/members/"+u.id, nil, nil)
	})
}

// topics changes the topics of groups with all the honest people.
func (a *arena) topics(ctx context.Context, t *attempts) {
	chats := make([]string, attackers)
	with := []string{}
	for _, u := range a.honest.users {
		with = append(with, u.id)
	}
	t.work(ctx, attackers, func(ctx context.Context, i int) (err error) {
		t.mu.Lock()
		chat := chats[i%attackers]
		t.mu.Unlock()
		if chat == "" {
			chat, err = a.account(i).makeChat(ctx, "group", with...)
			t.mu.Lock()
			chats[i%attackers] = chat
			t.mu.Unlock()
			return err
		}
		return a.account(i).Call(ctx, http.MethodPatch, "/chats/"+chat, map[string]any{"topic": fmt.Sprint("topic ", i)}, nil)
	})
}

// resumes comes anew with a cursor at the beginning of every chat.
func (a *arena) resumes(ctx context.Context, t *attempts) {
	t.work(ctx, atOnce, func(ctx context.Context, i int) error {
		u, cursors := a.account(i), map[string]int64{}
		conn, err := u.connect(ctx, a.url, nil, func(f client.Frame) {
			for _, chat := range detailsOf(f).Chats {
				cursors[chat.ID] = 0
			}
		})
		if err != nil {
			return err
		}
		_ = conn.CloseNow()
		if conn, err = u.connect(ctx, a.url, cursors, func(client.Frame) {}); err != nil {
			return err
		}
		return conn.CloseNow()
	})
}

// searches asks for words that most messages have.
func (a *arena) searches(ctx context.Context, t *attempts) {
	words := strings.Fields(usual)
	t.work(ctx, atOnce, func(ctx context.Context, i int) error {
		q := words[i%len(words)] + " " + words[i/7%len(words)]
		return a.account(i).Call(ctx, http.MethodGet, "/search?limit=200&q="+url.QueryEscape(q), nil, nil)
	})
}

// streams opens event streams and keeps them.
func (a *arena) streams(ctx context.Context, t *attempts) {
	var held sync.WaitGroup
	defer held.Wait()
	t.work(ctx, atOnce, func(ctx context.Context, i int) error {
		res, err := a.openStream(ctx, a.account(i))
		if err != nil {
			return err
		}
		held.Go(func() {
			defer func() { _ = res.Body.Close() }()
			_, err := io.Copy(io.Discard, res.Body)
			t.note(ctx, err)
		})
		return nil
	})
}

func (a *arena) openStream(ctx context.Context, u *user) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+"/api/v1/events", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+u.Token)
	res, err := u.HTTP.Transport.RoundTrip(req) // no deadline for the body
	if err != nil || res.StatusCode == http.StatusOK {
		return res, err
	}
	defer func() { _ = res.Body.Close() }()
	p := &client.Problem{Status: res.StatusCode, Code: res.Status}
	_ = json.NewDecoder(res.Body).Decode(p) // what is none has its status
	return nil, p
}
