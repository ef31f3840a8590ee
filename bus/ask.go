package bus

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/nats-io/nuid"
)

// questions are this node's questions that await an answer.
type questions struct {
	self string // part of the subjects of questions and answers

	mu      sync.Mutex
	last    int64
	waiting map[string]chan []byte // by the end of the subject; each has room for the wanted answers
}

func newQuestions() questions {
	return questions{self: nuid.Next() + ".", waiting: map[string]chan []byte{}}
}

// mostAnswers bounds what AskAll gathers.
const mostAnswers = 256

// Ask sends data to Node.Asked of every other node and waits for the first answer
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

// AskAll sends data to Node.Asked of every other node and gathers answers, in the
// order of their arrival, until ctx ends or there are 256. Nobody knows how many
// nodes there are, so ctx should end soon. It returns ErrLost at once while the
// bus is lost.
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

// answered hands an answer to the caller that awaits it, and drops surplus ones.
func (q *questions) answered(id string, data []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case q.waiting[id] <- data: // nobody is waiting: the channel is nil
	default:
	}
}
