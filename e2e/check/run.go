package check

import (
	"fmt"
	"strings"
	"time"
)

// Run is all that is known of one run.
type Run struct {
	Sends       []Send
	Cursors     []Cursor
	Connections []Connection
	Chats       []Chat
	Searches    []Search
	Probes      []Probe
	// Faults are answers that no fault around the server excuses.
	Faults []string
}

// Send is one message as its sender knows it, however often it was tried.
type Send struct {
	ChatID, SenderID, Key string
	Begun                 time.Duration // before the first attempt, on the clock of all clients
	Acked                 time.Duration // after the first ack; 0: none came
	MessageID             string
	Seq                   int64
	TS                    int64 // milliseconds since 1970, as are all times of the server here
}

// Cursor is what the server said that it stored.
type Cursor struct {
	ChatID, UserID string
	ReadSeq        int64
}

// Search is what a search found when nothing waited to be indexed, and what it
// should find.
type Search struct {
	ChatID, Query string
	Found, Want   []string // ids of messages, in any order
}

// Connection is one connection as its client saw it.
type Connection struct {
	Name    string // for the evidence: user, node, which one
	UserID  string
	Cursors map[string]int64 // what the resume said; nil: nothing
	Frames  []Frame
	// Token tells that the resume said a token instead: one that is at most
	// tokenLag events older than Cursors.
	Token bool
	// Final tells that the connection was live when the recording ended, after
	// the system had had time to come to rest.
	Final bool
}

// Frame is what the server said, as far as it matters here.
type Frame struct {
	Op      string
	ChatID  string
	Seq     int64
	Reason  string  // of a reset
	Entries []Entry // of chats and chat.joined
	Event   *Event  // of the events of chats
}

// Entry is a chat as the server tells it to a member.
type Entry struct {
	ID       string
	LastSeq  int64
	AddedSeq int64
}

// Event is an event, from a socket, from the API, or from the database. What an
// event has no use for is empty.
type Event struct {
	Op         string
	ChatID     string
	Seq        int64
	TS         int64
	ActorID    string
	UserID     string // whom a member or reaction event concerns
	MessageID  string
	MessageSeq int64
	Emoji      string
	// Content is what people wrote: the database's log does not have it.
	Key     string
	Body    string
	Version int64
}

// Chat is a chat at the end.
type Chat struct {
	ID       string
	LastSeq  int64
	Members  []string
	Events   []Event   // of the database, by seq
	Messages []Message // of the database, by seq
	Log      []Event   // of the events API, from the first
	History  []Message // of the history API, by seq
	Standing map[string]Standing
}

// Standing is how far a member has come, as their list of chats tells.
type Standing struct {
	LastSeq, ReadSeq, DeliveredSeq, Unread int64
}

// Message is a message, from the database or from the history API.
type Message struct {
	ID, SenderID, Body string
	Key                string // of the database only
	Seq, TS, Version   int64
	Deleted            bool
	Reactions          map[string]int // how many by emoji; of the API only
}

// Body is what a client writes as a version of the message of a key, so that
// whoever sees a text can tell whether it belongs there. Padding may follow on
// further lines.
func Body(key string, version int64) string { return fmt.Sprintf("%s v%d", key, version) }

// isBody reports whether a text is what was written as that version.
func isBody(text, key string, version int64) bool {
	first, _, _ := strings.Cut(text, "\n")
	return first == Body(key, version)
}
