package server

import (
	"context"

	"fechatter/chat"
	"fechatter/security"
)

type jobsOutput struct {
	Body struct {
		Kinds []chat.JobCount `json:"kinds"`
		Dead  []chat.DeadJob  `json:"dead" doc:"what failed for good, newest first"`
		Next  string          `json:"next,omitempty"`
	}
}

func (s *Server) listJobs(ctx context.Context, in *PageInput) (*jobsOutput, error) {
	out := &jobsOutput{}
	counts, err := s.chat.CountJobs(ctx, administrator(ctx))
	if err != nil {
		return nil, err
	}
	dead, next, err := s.chat.DeadJobs(ctx, administrator(ctx), in.page())
	out.Body.Kinds, out.Body.Dead, out.Body.Next = list(counts), list(dead), next
	return out, err
}

type jobInput struct {
	Kind string `path:"kind"`
	Key  string `path:"key"`
}

// judgeJob binds what happens to a dead job to a route.
func (s *Server) judgeJob(event security.Event, judge func(ctx context.Context, by chat.Actor, kind chat.JobKind, key string) error) binding {
	return typed(func(ctx context.Context, in *jobInput) (*struct{}, error) {
		err := judge(ctx, administrator(ctx), chat.JobKind(in.Kind), in.Key)
		if err == nil {
			s.note(callerOf(ctx), security.Entry{Event: event, Detail: in.Kind + " " + in.Key})
		}
		return nil, err
	})
}
