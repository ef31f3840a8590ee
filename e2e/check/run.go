package check

import (
	"fmt"
	"strings"
	"time"
)

// Run is everything known about one run.
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
	Begun                 time.Duration // before the first attempt, on the clock that all clients share
	Acked                 time.Duration // after the first ack; 0 without one
	MessageID             string
	Seq                   int64
	TS                    int64 // milliseconds since 1970, like every server time here
}

// Cursor is a cursor that the server acknowledged.
type Cursor struct {
	ChatID, UserID string
	ReadSeq        int64
}

// Search is what a search found once nothing waited to be indexed, and what it
// should have found.
type Search struct {
	ChatID, Query string
	Found, Want   []string // ids of messages, in any order
}

// Connection is one connection as its client saw it.
type Connection struct {
	Name    string // for the evidence: user, node and number
	UserID  string
	Cursors map[string]int64 // sent with the resume; nil for a fresh start
	Frames  []Frame
	// Token reports that the resume sent a token instead, at most tokenLag events
	// older than Cursors.
	Token bool
	// Final reports that the connection was live when the recording ended, after
	// the system had come to rest.
	Final bool
}

// Frame is a frame of the server, as far as it matters here.
type Frame struct {
	Op      string
	ChatID  string
	Seq     int64
	Reason  string  // of a reset
	Entries []Entry // of chats and chat.joined
	Event   *Event  // of the events of chats
}

// Entry is a chat as the server announces it to a member.
type Entry struct {
	ID       string
	LastSeq  int64
	AddedSeq int64
}

// Event is an event from a socket, from the API or from the database. Fields that
// an op does not have are empty.
type Event struct {
	Op         string
	ChatID     string
	Seq        int64
	TS         int64
	ActorID    string
	UserID     string // the subject of a member or reaction event
	MessageID  string
	MessageSeq int64
	Emoji      string
	// What people wrote, which the database's log does not have.
	Key     string
	Body    string
	Version int64
}

// Chat is a chat at the end of the run.
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

// Standing is how far a member has read, according to their list of chats.
type Standing struct {
	LastSeq, ReadSeq, DeliveredSeq, Unread int64
}

// Message is a message, from the database or from the history API.
type Message struct {
	ID, SenderID, Body string
	Key                string // from the database only
	Seq, TS, Version   int64
	Deleted            bool
	Reactions          map[string]int // how many by emoji; from the API only
}

// Body is what a client writes as a version of the message with a key, so that
// anybody who sees a text can tell whether it belongs there. Padding may follow on
// further lines.
func Body(key string, version int64) string { return fmt.Sprintf("%s v%d", key, version) }

// isBody reports whether a text was written as that version.
func isBody(text, key string, version int64) bool {
	first, _, _ := strings.Cut(text, "\n")
	return first == Body(key, version)
}
