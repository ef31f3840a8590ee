package bus

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

// questions are those of this node that wait for an answer.
type questions struct {
	self string // part of the subjects of questions and answers

	mu      sync.Mutex
	last    int64
	waiting map[string]chan []byte // by the end of the subject; each has room for the answers wanted
}

func newQuestions() questions {
	return questions{self: nuid.Next() + ".", waiting: map[string]chan []byte{}}
}

// mostAnswers bounds what AskAll gathers.
const mostAnswers = 256

// Ask gives data to Node.Asked of every other node and waits for the first answer
// until ctx ends. It returns ErrLost at once while the bus is lost.
func (b *Bus) Ask(ctx context.Context, data []byte) ([]byte, error) {
	if !b.link.isReady() {
		return nil, ErrLost
	}
	id, answer := b.questions.begin(1)
	defer b.questions.end(id)
	b.enqueue(outgoing{subject: askSubject + id, data: data})
	select {
	case data := <-answer:
		return data, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("await answer: %w", ctx.Err())
	}
}

// AskAll gives data to Node.Asked of every other node and gathers the answers, in
// the order in which they come, until ctx ends or there are 256. How many nodes
// there are nobody knows, so ctx should end soon. It returns ErrLost at once while
// the bus is lost.
func (b *Bus) AskAll(ctx context.Context, data []byte) (answers [][]byte, err error) {
	if !b.link.isReady() {
		return nil, ErrLost
	}
	id, answer := b.questions.begin(mostAnswers)
	defer b.questions.end(id)
	b.enqueue(outgoing{subject: askSubject + id, data: data})
	for len(answers) < mostAnswers {
		select {
		case data := <-answer:
			answers = append(answers, data)
		case <-ctx.Done():
			return answers, nil
		}
	}
	return answers, nil
}

func (q *questions) begin(most int) (id string, answers <-chan []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last++
	id = q.self + strconv.FormatInt(q.last, 10)
	c := make(chan []byte, most)
	q.waiting[id] = c
	return id, c
}

func (q *questions) end(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.waiting, id)
}

// answered hands an answer to who waits for it; further ones are dropped.
func (q *questions) answered(id string, data []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case q.waiting[id] <- data: // nobody waits any more: the channel is nil
	default:
	}
}

// exchange takes a message that is a question or an answer, and reports whether
// it was one.
func (b *Bus) exchange(m *nats.Msg, node Node) bool {
	if id, ok := strings.CutPrefix(m.Subject, answerSubject); ok {
		b.questions.answered(id, m.Data)
		return true
	}
	id, ok := strings.CutPrefix(m.Subject, askSubject)
	if ok {
		node.Asked(m.Data, func(data []byte) { b.enqueue(outgoing{subject: answerSubject + id, data: data}) })
	}
	return ok
}
