package server

import (
	"context"
	"encoding/json"

	"fechatter/chat"
	"fechatter/hub"
)

// hintSignal is a passingSignal on a chat's stream; the subject is who signals.
const hintSignal = "signal"

type passingSignal struct {
	Name   string          `json:"name"`
	Data   json.RawMessage `json:"data,omitempty"`
	Latest bool            `json:"latest,omitempty"`
}

type signalPayload struct {
	ChatID string          `json:"chat_id" required:"true"`
	Name   string          `json:"name" required:"true" doc:"1 to 64 characters"`
	Data   json.RawMessage `json:"data,omitempty" doc:"an object of at most 8 KiB"`
	Latest bool            `json:"latest,omitempty" doc:"where a socket is behind, only the newest of yours by this name counts"`
}

func (c *connection) signal(ctx context.Context, in signalPayload) (nothing, error) {
	return nothing{}, c.server.signal(ctx, c.user(), in)
}

type signalInput struct {
	IDInput
	Body struct {
		Name   string          `json:"name" required:"true" doc:"1 to 64 characters"`
		Data   json.RawMessage `json:"data,omitempty" doc:"an object of at most 8 KiB"`
		Latest bool            `json:"latest,omitempty" doc:"where a socket is behind, only the newest of yours by this name counts"`
	}
}

func (s *Server) postSignal(ctx context.Context, in *signalInput) (*struct{}, error) {
	b := in.Body
	return nil, s.signal(ctx, callerOf(ctx).userID(), signalPayload{ChatID: in.ID, Name: b.Name, Data: b.Data, Latest: b.Latest})
}

// signal tells the members who are connected. It costs the sender as many deliveries as a
// message does, and is dropped where typing is.
func (s *Server) signal(ctx context.Context, user string, in signalPayload) error {
	if err := s.rates.deliveries.owed(user); err != nil {
		return err
	}
	v, f, err := s.chat.Signal(ctx, user, in.ChatID, chat.Signal{Name: in.Name, Data: in.Data})
	if err != nil {
		return err
	}
	s.rates.deliveries.debit(user, f.Members)
	if s.drops(shedTyping) {
		return nil
	}
	data, err := encode(passingSignal{Name: v.Name, Data: v.Data, Latest: in.Latest})
	if err != nil {
		return err
	}
	return s.hub.Pass(hub.Event{Stream: in.ChatID, Seq: f.LastSeq, Op: hintSignal, Subject: user, Data: data})
}

// signalData is the payload of the push signal.
type signalData struct {
	UserID string          `json:"user_id"`
	Name   string          `json:"name"`
	Data   json.RawMessage `json:"data,omitempty"`
}

// sendSignal tells the members here, but for those who have blocked the sender.
func (s *Server) sendSignal(chatID, user string, data []byte) {
	var v passingSignal
	if err := json.Unmarshal(data, &v); err != nil {
		s.log.Error("read signal", "error", err)
		return
	}
	frame, err := encode(pushFrame{Op: "signal", ChatID: chatID, D: signalData{UserID: user, Name: v.Name, Data: v.Data}})
	if err != nil {
		s.log.Error("encode signal", "error", err)
		return
	}
	blockers := s.hints.blocks.blockers([]string{user})
	to := func(other string) bool { return blockers[other] == nil }
	if v.Latest {
		s.hub.Latest(chatID, "signal", user+" "+v.Name, frame, to)
		return
	}
	s.hub.Ephemeral(chatID, "signal", frame, to)
}
