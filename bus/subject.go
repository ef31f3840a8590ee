package bus

const (
	chatSubjects    = "fechatter.chat."
	nodeSubjects    = "fechatter.node."
	announceSubject = "fechatter.announce"
	askSubject      = "fechatter.ask."
	answerSubject   = "fechatter.answer."
	allSubjects     = "fechatter.>" // a node must be allowed to publish and subscribe to these

	traceHeader = "traceparent"
	sealHeader  = "Fechatter-Seal"
)

// subject returns the NATS subject of a stream that validStream accepts.
func subject(stream string) string { return chatSubjects + stream }

// validStream reports whether s is a UUID in its canonical form: lower-case hex
// digits in groups of 8-4-4-4-12. Other forms are refused, or a stream would have
// more than one subject.
func validStream(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if !validAt(i, s[i]) {
			return false
		}
	}
	return true
}

func validAt(i int, c byte) bool {
	if i == 8 || i == 13 || i == 18 || i == 23 {
		return c == '-'
	}
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f'
}
