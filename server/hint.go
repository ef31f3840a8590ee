package server

import (
	"context"
	"slices"
	"time"

	"fechatter/chat"
	"fechatter/hub"
)

// What passes between nodes without a seq, by the op that the hub carries.
const (
	hintTyping    = "typing"     // on a chat's stream: the subject types (true) or stopped (false)
	hintCursor    = "cursor"     // on a chat's stream: the frame that tells the subject's cursor
	hintOwnCursor = "cursor.own" // on a user's stream: the frame for the user's other devices; the subject is the chat
)

// hintsEvery is how often what was held back is looked at.
const hintsEvery = 250 * time.Millisecond

// hints is what this node has heard and not yet told.
type hints struct {
	typing   *typing
	receipts *receipts
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
		s.tellTyping(s.hints.typing.dueIn(e.Stream, now))
	case hintCursor:
		s.hints.receipts.hear(e.Stream, e.Subject, e.Data)
		if s.drops(shedCursors) {
			return // the latest of each is told when there is time again
		}
		s.tellReceipts(s.hints.receipts.dueIn(e.Stream, now))
	case hintOwnCursor:
		s.tellOwnCursor(e.Stream, e.Subject, e.Data, nil)
	}
}

// Removed implements hub.Listener.
func (s *Server) Removed(stream, user string, seq int64) {
	s.hints.typing.forget(stream, user, seq, time.Now())
}

// tellHints tells what was held back when its time comes, until ctx ends.
func (s *Server) tellHints(ctx context.Context) {
	tick := time.NewTicker(hintsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if news := s.hints.typing.due(now); !s.drops(shedTyping) {
				s.tellTyping(news)
			}
			if !s.drops(shedCursors) {
				s.tellReceipts(s.hints.receipts.due(now))
			}
		}
	}
}

// setTyping tells the chat that a member types, or stopped.
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

// sentWhatWasTyped ends the typing of who has sent.
func (s *Server) sentWhatWasTyped(user, chatID string, seq int64) {
	if !s.hints.typing.types(chatID, user) {
		return
	}
	if err := s.passTyping(user, chatID, false, seq); err != nil {
		s.log.Error("pass typing", "err", err)
	}
}

func (s *Server) tellTyping(news []typingNews) {
	for _, n := range news {
		if s.hub.Subscribers(n.chatID) > maxTypingTo {
			continue
		}
		s.ephemeral(n.chatID, typingFrame(n.chatID, n.to("")), func(user string) bool { return !slices.Contains(n.users, user) })
		for _, typist := range n.users {
			s.ephemeral(n.chatID, typingFrame(n.chatID, n.to(typist)), func(user string) bool { return user == typist })
		}
	}
}

// typingData is what the push typing says.
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
		s.log.Error("encode push", "op", f.Op, "err", err)
		return
	}
	s.hub.Ephemeral(stream, f.Op, data, to)
}

func (s *Server) tellReceipts(news []receiptNews) {
	for _, n := range news {
		s.hub.Ephemeral(n.chatID, "cursor", n.frame, func(user string) bool { return user != n.user })
	}
}

// moveCursor moves a member's cursor and tells who is to know: the user's other
// devices, and in a small chat the other members. from is the connection that
// the change came by, nil for REST.
func (s *Server) moveCursor(ctx context.Context, user, chatID string, ch chat.CursorChange, from *hub.Conn) (chat.CursorState, error) {
	moved, err := s.chat.SetCursor(ctx, user, chatID, ch)
	if err == nil && moved.Moved {
		err = s.tellCursor(user, chatID, moved, from)
	}
	return moved.CursorState, err
}

func (s *Server) tellCursor(user, chatID string, moved chat.CursorMoved, from *hub.Conn) error {
	own, err := encode(pushFrame{Op: "cursor", ChatID: chatID,
		D: cursorData{Cursor: moved.Cursor, Unread: &moved.Unread, Mentions: &moved.Mentions}})
	if err != nil {
		return err
	}
	s.tellOwnCursor(user, chatID, own, from)
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

// tellOwnCursor tells the user's connections here that follow the chat. It is
// for certain: what is unread on one device is unread on all.
func (s *Server) tellOwnCursor(user, chatID string, frame []byte, except *hub.Conn) {
	for _, c := range s.hub.Conns(user) {
		if c != except && c.Follows(chatID) {
			_ = c.Send("cursor", frame) // a closed connection has been told
		}
	}
}
