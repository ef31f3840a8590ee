package server

import (
	"context"
	"slices"
	"strings"
	"time"

	"fechatter/chat"
	"fechatter/hub"
)

// What passes between nodes without a seq, by the op under which the hub carries it.
const (
	hintTyping    = "typing"     // on a chat's stream: the subject is typing (true) or stopped (false)
	hintCursor    = "cursor"     // on a chat's stream: the frame with the subject's cursor
	hintOwnCursor = "cursor.own" // on a user's stream: the frame for the user's other devices; the subject is the chat

	hintMembership = "membership" // on a user's stream: membershipData; the subject is the chat
)

// hintsEvery is how often what was held back is checked.
const hintsEvery = 250 * time.Millisecond

// hints is what this node has received and not yet sent to its clients.
type hints struct {
	typing   *typing
	receipts *receipts
	blocks   *blocks
}

// Passing implements hub.Listener.
func (s *Server) Passing(e hub.Event) {
	now := time.Now()
	switch e.Op {
	case hintTyping:
		if s.drops(shedTyping) {
			return
		}
		s.hints.typing.hear(e.Stream, e.Subject, string(e.Data) == "true", e.Seq, now)
		s.sendTyping(s.hints.typing.dueIn(e.Stream, now))
	case hintCursor:
		s.hints.receipts.hear(e.Stream, e.Subject, e.Data)
		if s.drops(shedCursors) {
			return // the latest of each is sent when there is time again
		}
		s.sendReceipts(s.hints.receipts.dueIn(e.Stream, now))
	case hintOwnCursor:
		s.sendOwnCursor(e.Stream, e.Subject, e.Data, nil)
	case hintSignal:
		if !s.drops(shedTyping) {
			s.sendSignal(e.Stream, e.Subject, e.Data)
		}
	case hintMembership:
		s.hearMembership(e.Stream, e.Subject, e.Data)
	}
}

// Removed implements hub.Listener.
func (s *Server) Removed(stream, user string, seq int64) {
	s.hints.typing.forget(stream, user, seq, time.Now())
}

// sendHints sends what was held back when it is due, until ctx ends.
func (s *Server) sendHints(ctx context.Context) {
	every(ctx, hintsEvery, func(now time.Time) {
		if news := s.hints.typing.due(now); !s.drops(shedTyping) {
			s.sendTyping(news)
		}
		if !s.drops(shedCursors) {
			s.sendReceipts(s.hints.receipts.due(now))
		}
	})
}

// setTyping tells the chat that a member is typing, or stopped.
func (s *Server) setTyping(ctx context.Context, user, chatID string, types bool) error {
	if s.drops(shedTyping) {
		return nil
	}
	facts, err := s.chat.Typing(ctx, user, chatID)
	if err != nil || facts.Hidden {
		return err
	}
	return s.passTyping(user, chatID, types, facts.LastSeq)
}

func (s *Server) passTyping(user, chatID string, types bool, asOf int64) error {
	data := []byte("false")
	if types {
		data = []byte("true")
	}
	return s.hub.Pass(hub.Event{Stream: chatID, Seq: asOf, Op: hintTyping, Subject: user, Data: data})
}

// sentWhatWasTyped ends the typing of a member who has sent.
func (s *Server) sentWhatWasTyped(user, chatID string, seq int64) {
	if !s.hints.typing.types(chatID, user) {
		return
	}
	if err := s.passTyping(user, chatID, false, seq); err != nil {
		s.log.Error("pass typing", "error", err)
	}
}

func (s *Server) sendTyping(news []typingNews) {
	for _, n := range news {
		if s.hub.Subscribers(n.chatID) > maxTypingTo {
			continue
		}
		blockers := s.hints.blocks.blockers(n.users)
		s.ephemeral(n.chatID, typingFrame(n.chatID, n.to("", nil)), func(user string) bool {
			return !slices.Contains(n.users, user) && blockers[user] == nil
		})
		for _, typist := range n.users {
			s.ephemeral(n.chatID, typingFrame(n.chatID, n.to(typist, blockers[typist])), func(user string) bool { return user == typist })
		}
		s.sendFilteredTyping(n, blockers)
	}
}

// sendFilteredTyping tells those who have blocked somebody who types of the others, all
// who get the same names at once.
func (s *Server) sendFilteredTyping(n typingNews, blockers map[string]map[string]bool) {
	names, users := map[string][]string{}, map[string]map[string]bool{}
	for user, blocked := range blockers {
		if slices.Contains(n.users, user) {
			continue
		}
		seen := n.to(user, blocked)
		key := strings.Join(seen, " ")
		if names[key] = seen; users[key] == nil {
			users[key] = map[string]bool{}
		}
		users[key][user] = true
	}
	for key, to := range users {
		s.ephemeral(n.chatID, typingFrame(n.chatID, names[key]), func(user string) bool { return to[user] })
	}
}

// typingData is the payload of the push typing.
type typingData struct {
	UserIDs   []string `json:"user_ids"`
	ExpiresMS int64    `json:"expires_ms"`
}

func typingFrame(chatID string, users []string) pushFrame {
	return pushFrame{Op: "typing", ChatID: chatID, D: typingData{UserIDs: list(users), ExpiresMS: typingTTL.Milliseconds()}}
}

func (s *Server) ephemeral(stream string, f pushFrame, to func(user string) bool) {
	data, err := encode(f)
	if err != nil {
		s.log.Error("encode push", "op", f.Op, "error", err)
		return
	}
	s.hub.Ephemeral(stream, f.Op, data, to)
}

func (s *Server) sendReceipts(news []receiptNews) {
	for _, n := range news {
		s.hub.Ephemeral(n.chatID, "cursor", n.frame, func(user string) bool { return user != n.user })
	}
}

// moveCursor moves a member's cursor and tells the user's other devices and, in a
// small chat, the other members. from is the connection by which the change came,
// nil for REST.
func (s *Server) moveCursor(ctx context.Context, user, chatID string, ch chat.CursorChange, from *hub.Conn) (chat.CursorState, error) {
	moved, err := s.chat.SetCursor(ctx, user, chatID, ch)
	if err == nil && moved.Moved {
		err = s.sendCursor(user, chatID, moved, from)
	}
	return moved.CursorState, err
}

func (s *Server) sendCursor(user, chatID string, moved chat.CursorMoved, from *hub.Conn) error {
	own, err := encode(pushFrame{Op: "cursor", ChatID: chatID,
		D: cursorData{Cursor: moved.Cursor, Unread: &moved.Unread, Mentions: &moved.Mentions}})
	if err != nil {
		return err
	}
	s.sendOwnCursor(user, chatID, own, from)
	if err := s.hub.PassOn(hub.Event{Stream: user, Seq: 1, Op: hintOwnCursor, Subject: chatID, Data: own}); err != nil {
		return err
	}
	if moved.Hidden || moved.Members > s.limits.ReceiptsMembers {
		return nil
	}
	others, err := encode(pushFrame{Op: "cursor", ChatID: chatID, D: cursorData{Cursor: moved.Cursor}})
	if err != nil {
		return err
	}
	return s.hub.Pass(hub.Event{Stream: chatID, Seq: moved.LastSeq, Op: hintCursor, Subject: user, Data: others})
}

// sendOwnCursor sends a cursor to the user's connections on this node that follow the
// chat. None is dropped: what is read on one device is read on all.
func (s *Server) sendOwnCursor(user, chatID string, frame []byte, except *hub.Conn) {
	for _, c := range s.hub.Conns(user) {
		if c != except && c.Follows(chatID) {
			_ = c.Send("cursor", frame) // a closed connection needs no cursor
		}
	}
}
