package load

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"fechatter/e2e/check"
)

const (
	windowMessages = 900 // in one search for all of a chat's messages: fewer than search lets a client page through
	sampled        = 8   // messages of each chat that are searched for by their words
	searchPatience = time.Second
)

// Searches waits until nothing is left to be indexed, then searches for all messages
// of each chat, and for some by what they say.
func (l *Load) Searches(ctx context.Context, query Query, chats []check.Chat, patience time.Duration) (done []check.Search, err error) {
	if err := awaitIndexed(ctx, query, patience); err != nil {
		return nil, err
	}
	for i, c := range chats {
		owner := l.chats[i].owner
		for _, s := range append(windows(c), samples(c)...) {
			if s.Found, err = l.found(ctx, owner, s.Query); err != nil {
				return nil, err
			}
			done = append(done, s)
		}
	}
	return done, nil
}

func awaitIndexed(ctx context.Context, query Query, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		left, err := rows[int](ctx, query, "SELECT to_json(count(*)) FROM index_outbox")
		if err != nil {
			return err
		}
		if left[0] == 0 {
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("%d changes are not indexed after %s", left[0], patience)
		}
		pause(ctx, 50*time.Millisecond)
	}
}

// windows are searches for all messages of a chat, by when they were sent.
func windows(c check.Chat) (list []check.Search) {
	for from := 0; from < len(c.Messages); {
		to := min(from+windowMessages, len(c.Messages))
		for to < len(c.Messages) && c.Messages[to].TS == c.Messages[to-1].TS {
			to++
		}
		q := "chat_id=" + c.ID + "&since=" + wireTime(c.Messages[from].TS)
		if to < len(c.Messages) {
			q += "&until=" + wireTime(c.Messages[to].TS)
		}
		s := check.Search{ChatID: c.ID, Query: q}
		for _, m := range c.Messages[from:to] {
			if !m.Deleted {
				s.Want = append(s.Want, m.ID)
			}
		}
		list, from = append(list, s), to
	}
	return list
}

func wireTime(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// samples are searches for what a message says now and for what it said before.
func samples(c check.Chat) (list []check.Search) {
	step := max(1, len(c.Messages)/sampled)
	for i := 0; i < len(c.Messages); i += step {
		m := c.Messages[i]
		now := check.Search{ChatID: c.ID, Query: phrase(c.ID, m.Key, m.Version)}
		if !m.Deleted {
			now.Want = []string{m.ID}
		}
		list = append(list, now)
		if m.Version > 1 {
			list = append(list, check.Search{ChatID: c.ID, Query: phrase(c.ID, m.Key, m.Version-1)})
		}
	}
	return list
}

func phrase(chatID, key string, version int64) string {
	return "chat_id=" + chatID + "&q=" + url.QueryEscape(`"`+check.Body(key, version)+`"`)
}

// found returns the ids of all hits of a search.
func (l *Load) found(ctx context.Context, p *person, query string) (ids []string, err error) {
	for {
		var page struct {
			Hits []struct{ Message struct{ ID string } }
		}
		err := p.get(ctx, l.cfg.URLs, fmt.Sprintf("/search?%s&limit=200&offset=%d", query, len(ids)), &page)
		if codeOf(err) == "rate_limited" {
			pause(ctx, searchPatience)
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, h := range page.Hits {
			ids = append(ids, h.Message.ID)
		}
		if len(page.Hits) < 200 {
			return ids, nil
		}
	}
}
