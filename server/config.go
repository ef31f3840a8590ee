package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"fechatter/chat"
	"fechatter/hub"
	"fechatter/timeline"
)

// Config is what an operator decides about the front end.
type Config struct {
	// PublicURL is scheme://host[:port] as browsers see the server. Empty: only
	// a request's own host counts as same origin.
	PublicURL string
	// AllowedOrigins are further origins whose pages may use the API.
	AllowedOrigins []string
	// TrustedProxies are whose X-Forwarded-* and Forwarded headers are believed.
	TrustedProxies []netip.Prefix
	Limits         Limits
	Quotas         Quotas
	Version        string // of the program, shown in documents and health
}

// Limits are the bounds in force that clients are told in hello.
type Limits struct {
	FrameBytes      int `json:"frame_bytes"` // of a frame after ready, and of a request body
	BodyBytes       int `json:"body_bytes"`  // of a message's body; New sets it from the domain
	SendsPerSecond  int `json:"sends_per_second"`
	SendBurst       int `json:"send_burst"`
	ChatMembers     int `json:"chat_members"`   // New sets it from the domain
	ChatsPerUser    int `json:"chats_per_user"` // New sets it from the domain
	ReceiptsMembers int `json:"receipts_members"`
	ResumeWindow    int `json:"resume_window"`
	ResumeEvents    int `json:"resume_events"`
}

// Quotas are the bounds in force that clients are not told; 0 is no limit.
type Quotas struct {
	SignupsPerIPPerMinute int
	LoginsPerIPPerMinute  int
	ConnectionsPerUser    int
	Connections           int // of this node, SSE streams among them
	RequestsPerSecond     int // of one user, and commands that are no sends; 0: and no limit of resumes and searches
	RequestBurst          int
}

// DefaultLimits are those of the wire contract.
func DefaultLimits() Limits {
	d := chat.DefaultLimits()
	return Limits{
		FrameBytes: 64 << 10, BodyBytes: d.BodyBytes, SendsPerSecond: 10, SendBurst: 20,
		ChatMembers: d.ChatMembers, ChatsPerUser: d.ChatsPerUser,
		ReceiptsMembers: 64, ResumeWindow: 500, ResumeEvents: 2000,
	}
}

// DefaultQuotas keep guessing passwords slow without locking an office out.
func DefaultQuotas() Quotas {
	return Quotas{SignupsPerIPPerMinute: 30, LoginsPerIPPerMinute: 60, ConnectionsPerUser: 32,
		Connections: 50_000, RequestsPerSecond: 100, RequestBurst: 400}
}

// Observer is told what is worth counting. Its methods are called concurrently
// and must not block.
type Observer interface {
	// Request is one answered HTTP request; route is a path of the table, "page",
	// or "" for what matched nothing.
	Request(route, method string, status int, took time.Duration)
	// Command is one answered WebSocket command; op is one of the contract's or
	// "unknown", code "" for ok.
	Command(op, code string, took time.Duration)
	// Send is one message on its way into the store, over REST or WebSocket, from
	// the request to the commit; outcome is ok, replayed or a code.
	Send(outcome string, took time.Duration)
	// Resume is one resume at its end; outcome is fresh (without cursors),
	// lossless, reset (at least one chat was) or failed.
	Resume(outcome string)
	// Reset is one reset told to a client.
	Reset(reason string)
}

// Tracer follows some of the sends through the nodes.
type Tracer interface {
	// Begin draws whether a send is followed; trace is empty if not. end is called
	// with the outcome, as Observer.Send gets it. It is called concurrently and must
	// not block.
	Begin(name string) (trace string, end func(outcome string))
}

// Timeline remembers when messages passed the stages of their way. Its methods
// are called concurrently.
type Timeline interface {
	// Received is told when a send was read, once it is a message. It must not block.
	Received(chatID string, seq int64, at time.Time)
	// Nodes gives what each node that can be asked knows of a message, those left
	// out that know nothing.
	Nodes(ctx context.Context, chatID string, seq int64) []timeline.Stages
}

// Deps are the parts that the server stands on.
type Deps struct {
	Chat     *chat.Service
	Search   Searcher
	Hub      *hub.Hub
	Presence Presence
	Page     http.Handler // the page at /; nil: none
	Health   Health       // nil: the node says that it is starting
	Log      *slog.Logger
	Observer Observer // nil: nobody counts
	Tracer   Tracer   // nil: nothing is followed
	Timeline Timeline // nil: nothing is remembered
	// Pressure is how near the node is to refusing sends: from 0 to 1, when it does.
	// It is asked four times a second. nil: never.
	Pressure func() float64
}
