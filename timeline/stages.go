package timeline

import "fechatter/chat"

// Stages is what one node knows of one message: times of its own clock, 0 for what
// did not happen there.
type Stages struct {
	Node        string    `json:"node" doc:"the id of a running node; it changes with every start"`
	ReceivedAt  chat.Time `json:"received_at,omitempty" doc:"the send was read"`
	CommittedAt chat.Time `json:"committed_at,omitempty" doc:"the database answered the COMMIT"`
	PublishedAt chat.Time `json:"published_at,omitempty" doc:"the event was on its way to the subscribers here and to the other nodes"`
	DeliveredAt chat.Time `json:"delivered_at,omitempty" doc:"the event was written to every connection here, or queued where a socket was behind"`
	Connections int       `json:"connections,omitempty" doc:"how many connections that were"`
	IndexedAt   chat.Time `json:"indexed_at,omitempty" doc:"the search index had it"`
}

// First returns the earliest known time.
func (s Stages) First() chat.Time {
	first := chat.Time(0)
	for _, at := range []chat.Time{s.ReceivedAt, s.CommittedAt, s.PublishedAt, s.DeliveredAt, s.IndexedAt} {
		if at != 0 && (first == 0 || at < first) {
			first = at
		}
	}
	return first
}
