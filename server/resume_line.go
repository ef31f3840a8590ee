package server

import (
	"context"
	"runtime"
	"time"
)

const (
	maxUserResumes = 4  // of one user
	maxResumes     = 32 // at once on a node, most of which wait for their sockets
	// maxWaitingResumes is how many may wait for their turn before newcomers are
	// turned away: it is seconds of work already, and more would only grow stale.
	maxWaitingResumes = 4096
	// usualResumes is how many resumes of one user a minute are those of a person, whose
	// devices come back at once when a network does.
	usualResumes = 10
)

// resumeLine decides whose resume is next. Its methods may be called concurrently.
//
// A resume computes for milliseconds, and what computes gets a processor for 10 ms in the order
// of arrival, so that a send waits for the others at each of its steps: only a few compute at
// once. Users who resume more often than people do share one half of the processors, where they
// wait for each other and nobody for them.
type resumeLine struct {
	all       *turns
	computing *turns
	often     *turns
	usual     *limiter // by user: resumes that need no turn of often
}

func newResumeLine() *resumeLine {
	processors := runtime.GOMAXPROCS(0)
	return &resumeLine{
		all:       newTurns(maxResumes, maxUserResumes),
		computing: newTurns(2*processors, max(1, processors/2)),
		often:     newTurns(max(1, processors/2), 1),
		usual:     newLimiter(usualResumes, time.Minute, usualResumes),
	}
}

// begin waits for the turn of a resume, which leave ends.
func (l *resumeLine) begin(ctx context.Context, user string) (leave func(), err error) {
	leaveOften := func() {}
	if l.usual.charge(user) != nil {
		if leaveOften, err = l.often.enter(ctx, user); err != nil {
			return nil, err
		}
	}
	leaveAll, err := l.all.enter(ctx, user)
	if err != nil {
		leaveOften()
		return nil, err
	}
	return func() {
		leaveAll()
		leaveOften()
	}, nil
}

// compute waits for a turn to compute. leave ends it.
func (l *resumeLine) compute(ctx context.Context, user string) (*share, error) {
	leave, err := l.computing.enter(ctx, user)
	if err != nil {
		return nil, err
	}
	return &share{l.computing, user, leave}, nil
}

// share is a turn that is lent to others while its owner waits for a socket or a stream. It
// belongs to one goroutine.
type share struct {
	turns *turns
	user  string
	leave func()
}

// lend waits without the turn, and then for the turn.
func (s *share) lend(ctx context.Context, wait func() error) error {
	s.leave()
	s.leave = func() {}
	if err := wait(); err != nil {
		return err
	}
	leave, err := s.turns.enter(ctx, s.user)
	if err == nil {
		s.leave = leave
	}
	return err
}
