package bus

import (
	"strings"
	"sync/atomic"

	"fechatter/security"
)

// kind is what a message is, by its subject.
type kind uint8

const (
	kindEvent kind = iota
	kindAnnouncement
	kindQuestion
	kindAnswer
	kindEcho
	kinds // how many there are
)

func kindNames() [kinds]string {
	return [kinds]string{"event", "announcement", "question", "answer", "echo"}
}

// kindOf returns the kind of a subject and what follows its prefix.
func kindOf(subject string) (kind, string) {
	if stream, ok := strings.CutPrefix(subject, chatSubjects); ok {
		return kindEvent, stream
	}
	if id, ok := strings.CutPrefix(subject, askSubject); ok {
		return kindQuestion, id
	}
	if id, ok := strings.CutPrefix(subject, answerSubject); ok {
		return kindAnswer, id
	}
	if subject == announceSubject {
		return kindAnnouncement, ""
	}
	return kindEcho, ""
}

// Rejection counts the messages of one kind that were dropped for one reason.
type Rejection struct {
	Kind   string // event, announcement, question, answer, echo
	Reason string // unsigned, malformed, unknown_key, forged, stale, replayed
	Count  uint64
}

// rejections are the counts behind Rejection.
type rejections [kinds][faults]atomic.Uint64

func (r *rejections) list() []Rejection {
	var list []Rejection
	for k, kind := range kindNames() {
		for f, reason := range reasonNames() {
			if fault(f) != sound {
				list = append(list, Rejection{kind, reason, r[k][f].Load()})
			}
		}
	}
	return list
}

// reject counts a message that is not believed and notes it as a security event, sampled.
func (b *Bus) reject(k kind, why fault, subject string) {
	b.rejected[k][why].Add(1)
	if why == strange || why == stale {
		b.wantKeys()
	}
	b.cfg.Security.Note(security.Entry{Event: security.BusRefused,
		Detail: kindNames()[k] + " " + reasonNames()[why] + " on " + subject})
}
