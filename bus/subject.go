package bus

const (
	chatSubjects    = "fechatter.chat."
	nodeSubjects    = "fechatter.node."
	announceSubject = "fechatter.announce"
	askSubject      = "fechatter.ask."
	answerSubject   = "fechatter.answer."
	allSubjects     = "fechatter.>" // what a node must be allowed to publish and subscribe

	traceHeader = "traceparent"
)

// subject names the NATS subject of a stream, which validStream has passed.
func subject(stream string) string { return chatSubjects + stream }

// validStream reports whether s is a UUID in its canonical form: lower-case hex
// digits in groups of 8-4-4-4-12. No other form may name a subject, or one
// stream had two.
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
