package server

import (
	"context"
	"time"

	"fechatter/chat"
)

// sending is a send between its arrival and its answer.
type sending struct {
	chat.Send
	started time.Time
	end     func(outcome string) // of its trace; nil if it has none
}

// receive begins a send, and its trace if the tracer picks it.
func (s *Server) receive(m chat.Send) sending {
	x := sending{Send: m, started: time.Now()}
	if s.tracer != nil {
		x.Trace, x.end = s.tracer.Begin("message.send")
	}
	return x
}

// conclude notes what became of a send.
func (s *Server) conclude(x sending, sent chat.Sent, err error) {
	outcome := "ok"
	switch {
	case err != nil:
		outcome = string(chat.CodeOf(err))
	case sent.Replayed:
		outcome = "replayed"
	default:
		s.timeline.Received(x.ChatID, sent.Seq, x.started)
		s.sentWhatWasTyped(x.SenderID, x.ChatID, sent.Seq)
	}
	s.observer.Send(outcome, time.Since(x.started))
	if x.end != nil {
		x.end(outcome)
	}
}

// send stores a message and waits for its commit. Over a WebSocket nobody waits: see pipeline.
func (s *Server) send(ctx context.Context, m chat.Send) (chat.Sent, error) {
	x := s.receive(m)
	sent, err := s.chat.Send(ctx, x.Send)
	s.conclude(x, sent, err)
	return sent, err
}
