package server

import (
	"context"
	"time"

	"fechatter/chat"
)

// send stores a message for either front end. A replay costs nothing: its token
// is put back, and it is answered even when there is none.
func (s *Server) send(ctx context.Context, m chat.Send) (chat.Sent, error) {
	started := time.Now()
	end := s.follow(&m)
	sent, err := s.sendLimited(ctx, m)
	outcome := "ok"
	switch {
	case err != nil:
		outcome = string(chat.CodeOf(err))
	case sent.Replayed:
		outcome = "replayed"
	default:
		s.timeline.Received(m.ChatID, sent.Seq, started)
	}
	s.observer.Send(outcome, time.Since(started))
	if end != nil {
		end(outcome)
	}
	return sent, err
}

// follow begins the trace of a send, if the lot falls on it.
func (s *Server) follow(m *chat.Send) (end func(outcome string)) {
	if s.tracer != nil {
		m.Trace, end = s.tracer.Begin("message.send")
	}
	return end
}

func (s *Server) sendLimited(ctx context.Context, m chat.Send) (chat.Sent, error) {
	if limited := s.sends.charge(m.SenderID); limited != nil {
		sent, found, err := s.chat.Replay(ctx, m)
		if err != nil || found {
			return sent, err
		}
		return chat.Sent{}, limited
	}
	sent, err := s.chat.Send(ctx, m)
	switch {
	case err != nil:
	case sent.Replayed:
		s.sends.refund(m.SenderID)
	default:
		s.sentWhatWasTyped(m.SenderID, m.ChatID, sent.Seq)
	}
	return sent, err
}
