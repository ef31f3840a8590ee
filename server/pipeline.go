package server

import (
	"context"
	"sync"
	"time"

	"fechatter/chat"
)

// What of one connection may be under way: enough to keep the group commit busy while the
// acks travel, and no more than one large frame of text four times over.
const (
	pipelineSends = 128
	pipelineBytes = 256 << 10
)

// pipeline holds the sends of one connection that are under way, so that its reader need not wait
// for one commit before it reads the next send. A goroutine, which lives only while there are any,
// answers them. The zero value is ready to use.
//
// A send occupies the pipeline until its outcome is known. It is answered by then or, if the store
// takes longer than commandTimeout, with unknown_outcome.
type pipeline struct {
	mu         sync.Mutex
	changed    *sync.Cond // of the counts; made by the first send, on mu
	wake       chan struct{}
	sends      []*underWay // in the order sent
	bytes      int
	unanswered int
	running    bool
}

// underWay is one send of a pipeline, whose mutex guards the lower fields.
type underWay struct {
	sending
	re  *string
	due time.Time // when it is answered, whatever becomes of it

	known, answered bool
	outcome
}

// answerable is a send with what it is answered: u's own outcome may change meanwhile.
type answerable struct {
	u *underWay
	outcome
}

type outcome struct {
	sent chat.Sent
	err  error
}

// enter waits for room and takes it.
func (p *pipeline) enter(u *underWay) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed == nil {
		p.changed, p.wake = sync.NewCond(&p.mu), make(chan struct{}, 1)
	}
	for len(p.sends) >= pipelineSends || len(p.sends) > 0 && p.bytes+u.Size() > pipelineBytes {
		p.changed.Wait()
	}
	u.due = time.Now().Add(commandTimeout)
	p.sends = append(p.sends, u)
	p.bytes += u.Size()
	p.unanswered++
}

// leave gives the place of the last send back, of which nothing is under way.
func (p *pipeline) leave(u *underWay) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sends = p.sends[:len(p.sends)-1]
	p.bytes -= u.Size()
	p.unanswered--
}

// start reports whether the caller must start the goroutine that answers.
func (p *pipeline) start() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	began := !p.running
	p.running = true
	return began
}

// resolve notes the outcome of a send. It does not block.
func (p *pipeline) resolve(u *underWay, sent chat.Sent, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u.known, u.outcome = true, outcome{sent, err}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// flushed waits until everything sent so far is answered.
func (p *pipeline) flushed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.unanswered > 0 {
		p.changed.Wait()
	}
}

// take returns what is to be answered now, in the order sent. When there is nothing it returns how
// long to wait for the wake; more is false, and the goroutine is over, when nothing is under way.
func (p *pipeline) take(now time.Time) (ready []answerable, wait time.Duration, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest := p.sends[:0]
	wait = commandTimeout
	for _, u := range p.sends {
		if u.known {
			p.bytes -= u.Size()
		} else {
			rest = append(rest, u)
		}
		switch {
		case u.answered:
		case u.known:
			ready = append(ready, answerable{u, u.outcome})
		case !u.due.After(now):
			ready = append(ready, answerable{u, outcome{err: chat.Errorf(chat.UnknownOutcome, "the database did not answer in time")}})
		default:
			wait = min(wait, u.due.Sub(now))
		}
	}
	clear(p.sends[len(rest):])
	p.sends = rest
	if p.changed.Broadcast(); len(rest) == 0 && len(ready) == 0 {
		p.sends, p.running = nil, false
		return nil, 0, false
	}
	return ready, wait, true
}

// wasAnswered notes that a send was answered.
func (p *pipeline) wasAnswered(u *underWay) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u.answered = true
	p.unanswered--
	p.changed.Broadcast()
}

// sendMessage hands a message to the store and leaves the answer to answerSends. What needs no
// commit, a refusal or a replay beyond the limit, is answered at once.
func (c *connection) sendMessage(ctx context.Context, re *string, in sendPayload) error {
	c.acted()
	u := &underWay{re: re, sending: c.server.receive(chat.Send{
		ChatID: in.ChatID, SenderID: c.user(), Key: in.Key, Body: in.Body, Data: in.Data, Attachments: in.Attachments, ReplyTo: in.ReplyTo})}
	c.sends.enter(u)
	sent, queued, err := c.server.chat.Enqueue(ctx, u.Send, func(sent chat.Sent, err error) { c.sends.resolve(u, sent, err) })
	if queued {
		if c.sends.start() {
			c.server.realtime.running.Go(c.answerSends)
		}
		return u
	}
	c.sends.leave(u)
	c.server.conclude(u.sending, sent, err)
	if err == nil {
		c.answer(re, "ok", sent)
	}
	return err
}

// Error makes a send that is under way what its command returns instead of an answer.
func (u *underWay) Error() string { return "under way" }

// answerSends answers what is under way and ends when nothing is.
func (c *connection) answerSends() {
	timer := time.NewTimer(commandTimeout)
	defer timer.Stop()
	for {
		ready, wait, more := c.sends.take(time.Now())
		if !more {
			return
		}
		for _, a := range ready {
			c.answerSend(a)
		}
		if len(ready) > 0 {
			continue
		}
		timer.Reset(wait)
		select {
		case <-c.sends.wake:
		case <-timer.C:
		}
	}
}

func (c *connection) answerSend(a answerable) {
	defer c.contain()
	defer c.sends.wasAnswered(a.u) // whatever happens: the reader may be waiting
	c.server.conclude(a.u.sending, a.sent, a.err)
	c.server.observer.Command("message.send", string(chat.CodeOf(a.err)), time.Since(a.u.started))
	if a.err != nil {
		c.answer(a.u.re, "error", c.problem("message.send", a.err))
		return
	}
	c.answer(a.u.re, "ok", a.sent)
}
