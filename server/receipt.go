package server

import (
	"sync"
	"time"

	"fechatter/chat"
)

// receiptEvery is the shortest time between two receipts of one member in a chat.
const receiptEvery = time.Second

// receipts holds back others' cursors that move too often to send each step. It is a
// state machine like typing.
type receipts struct {
	mu    sync.Mutex
	chats map[string]map[string]*receipt // by chat, by user
}

type receipt struct {
	latest []byte // the frame to send; nil: sent
	sentAt time.Time
}

// receiptNews is a frame for all subscribers of a chat but one.
type receiptNews struct {
	chatID, user string
	frame        []byte
}

func newReceipts() *receipts { return &receipts{chats: map[string]map[string]*receipt{}} }

// hear takes in a member's cursor.
func (r *receipts) hear(chatID, user string, frame []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	members := r.chats[chatID]
	if members == nil {
		members = map[string]*receipt{}
		r.chats[chatID] = members
	}
	if members[user] == nil {
		members[user] = &receipt{}
	}
	members[user].latest = frame
}

// dueIn returns what may be sent to one chat now, and counts it as sent.
func (r *receipts) dueIn(chatID string, now time.Time) []receiptNews {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.look(chatID, now, nil)
}

// due is dueIn for every chat.
func (r *receipts) due(now time.Time) (news []receiptNews) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.chats {
		news = r.look(id, now, news)
	}
	return news
}

func (r *receipts) look(chatID string, now time.Time, news []receiptNews) []receiptNews {
	members := r.chats[chatID]
	for user, v := range members {
		switch {
		case now.Sub(v.sentAt) < receiptEvery:
		case v.latest == nil:
			delete(members, user)
		default:
			news = append(news, receiptNews{chatID, user, v.latest})
			v.latest, v.sentAt = nil, now
		}
	}
	if len(members) == 0 {
		delete(r.chats, chatID)
	}
	return news
}

// cursorData is the payload of the push cursor; the counts are there for the user's own.
type cursorData struct {
	chat.Cursor
	Unread   *int64 `json:"unread,omitempty"`
	Mentions *int64 `json:"mentions,omitempty"`
}
