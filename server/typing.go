package server

import (
	"slices"
	"sync"
	"time"
)

const (
	typingTTL    = 6 * time.Second // how long a report of typing holds
	typingEvery  = time.Second     // at most one frame per chat
	typingRepeat = 3 * time.Second // of an unchanged frame, before clients let it expire
	typingNames  = 5               // in one frame
	maxTypists   = 50              // remembered per chat
	maxTypingTo  = 200             // subscribers of a chat on this node, above which nothing is sent
)

// typing knows who is typing where, as far as this node's clients should see it. It
// is a state machine without a goroutine: what is heard goes in, with the time, and
// due returns what to send. Its methods may be called concurrently.
type typing struct {
	mu    sync.Mutex
	chats map[string]*typingChat
}

// typingChat is one chat in which somebody is typing, or was a moment ago.
type typingChat struct {
	typists []typist // in the order in which they began
	removed []typist // members removed a moment ago, and at which seq
	sent    []string // the names sent last
	sentAt  time.Time
	renewed bool // somebody went on typing since
}

type typist struct {
	user  string
	until time.Time
	seq   int64 // removed: of the removal
}

// typingNews is what to send to the subscribers of a chat.
type typingNews struct {
	chatID string
	users  []string
}

// to returns the names for one of them: nobody is told of their own typing, nor of that
// of those whom they have blocked.
func (n typingNews) to(user string, blocked map[string]bool) []string {
	others := slices.DeleteFunc(slices.Clone(n.users), func(u string) bool { return u == user || blocked[u] })
	return others[:min(len(others), typingNames)]
}

func newTyping() *typing { return &typing{chats: map[string]*typingChat{}} }

// hear takes in that a member is typing, or stopped, as of a seq of the chat.
func (t *typing) hear(chatID, user string, types bool, asOf int64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.chats[chatID]
	if c == nil {
		if !types {
			return
		}
		c = &typingChat{}
		t.chats[chatID] = c
	}
	if slices.ContainsFunc(c.removed, func(r typist) bool { return r.user == user && r.seq > asOf }) {
		return
	}
	i := slices.IndexFunc(c.typists, func(x typist) bool { return x.user == user })
	switch {
	case !types && i >= 0:
		c.typists = slices.Delete(c.typists, i, i+1)
	case types && i >= 0:
		c.typists[i].until, c.renewed = now.Add(typingTTL), true
	case types && len(c.typists) < maxTypists:
		c.typists = append(c.typists, typist{user: user, until: now.Add(typingTTL)})
	}
}

// forget takes in that a member was removed: reports of their typing from before,
// heard late, are no longer shown.
func (t *typing) forget(chatID, user string, seq int64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.chats[chatID]
	if c == nil {
		c = &typingChat{}
		t.chats[chatID] = c
	}
	c.typists = slices.DeleteFunc(c.typists, func(x typist) bool { return x.user == user })
	if len(c.removed) < maxTypists {
		c.removed = append(c.removed, typist{user: user, until: now.Add(typingTTL), seq: seq})
	}
}

// types reports whether a member is taken to be typing.
func (t *typing) types(chatID, user string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.chats[chatID]
	return c != nil && slices.Contains(c.names(), user)
}

// dueIn returns what to send to one chat now, and counts it as sent.
func (t *typing) dueIn(chatID string, now time.Time) []typingNews {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.look(chatID, now, nil)
}

// due is dueIn for every chat.
func (t *typing) due(now time.Time) (news []typingNews) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range t.chats {
		news = t.look(id, now, news)
	}
	return news
}

func (t *typing) look(chatID string, now time.Time, news []typingNews) []typingNews {
	c := t.chats[chatID]
	if c == nil {
		return news
	}
	if c.due(now) {
		c.markSent(now)
		news = append(news, typingNews{chatID, slices.Clone(c.sent)})
	}
	if c.over() {
		delete(t.chats, chatID)
	}
	return news
}

// due drops what ran out, and reports whether there is something to send.
func (c *typingChat) due(now time.Time) bool {
	past := func(x typist) bool { return !x.until.After(now) }
	c.typists = slices.DeleteFunc(c.typists, past)
	c.removed = slices.DeleteFunc(c.removed, past)
	since := now.Sub(c.sentAt)
	return since >= typingEvery && (!slices.Equal(c.names(), c.sent) || c.renewed && since >= typingRepeat)
}

func (c *typingChat) markSent(now time.Time) {
	c.sent, c.sentAt, c.renewed = c.names(), now, false
}

func (c *typingChat) names() (names []string) {
	for _, x := range c.typists {
		names = append(names, x.user)
	}
	return names
}

func (c *typingChat) over() bool {
	return len(c.typists) == 0 && len(c.removed) == 0 && len(c.sent) == 0
}
