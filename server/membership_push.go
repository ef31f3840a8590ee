package server

import (
	"context"
	"encoding/json"

	"fechatter/chat"
	"fechatter/hub"
)

// membershipData is the payload of the push membership: what is private to the member.
type membershipData struct {
	Muted   bool `json:"muted"`
	Hidden  bool `json:"hidden"`
	Request bool `json:"request"`
}

func membershipOf(m chat.Member) membershipData {
	return membershipData{Muted: m.Muted, Hidden: m.Hidden, Request: m.Standing == chat.Requested}
}

// tellMembership tells all of a user's connections what their membership is now. It may
// be lost: a resume has the same.
func (s *Server) tellMembership(user, chatID string, d membershipData) error {
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return s.hub.Pass(hub.Event{Stream: user, Seq: 1, Op: hintMembership, Subject: chatID, Data: data})
}

// hearMembership tells the user's connections on this node. One that does not have the
// chat, since it was hidden, gets it when it is hidden no longer.
func (s *Server) hearMembership(user, chatID string, data []byte) {
	var d membershipData
	if err := json.Unmarshal(data, &d); err != nil {
		s.log.Error("read membership", "error", err)
		return
	}
	frame, err := encode(pushFrame{Op: hintMembership, ChatID: chatID, D: d})
	if err != nil {
		s.log.Error("encode push", "op", hintMembership, "error", err)
		return
	}
	for _, c := range s.hub.Conns(user) {
		if c.Follows(chatID) {
			_ = c.Send(hintMembership, frame) // a closed connection needs none
		}
	}
	if d.Hidden {
		return
	}
	for _, c := range s.realtime.connections.list(func(c *connection) bool { return c.user() == user }) {
		c.do(func(ctx context.Context) { c.shown(ctx, chatID) })
	}
}
