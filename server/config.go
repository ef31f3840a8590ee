package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"fechatter/chat"
	"fechatter/hub"
	"fechatter/security"
	"fechatter/timeline"
)

// Config is what an operator decides about the front end.
type Config struct {
	// PublicURL is scheme://host[:port] as browsers see the server: the only origin
	// besides the allowed ones, and the only name. Empty: a request's own host counts
	// as same origin, whatever it is.
	PublicURL string
	// AllowedHosts are further names under which programs reach the server.
	AllowedHosts []string
	// AllowedOrigins are further origins whose pages may use the API.
	AllowedOrigins []string
	// TrustedProxies are those whose X-Forwarded-* and Forwarded headers are believed.
	TrustedProxies []netip.Prefix
	// TrustedHops, if not 0, is how many proxies a request passes, each of which adds
	// the address that it sees: the client is so many hops from the end. Whoever connects
	// is believed then, or, with TrustedProxies, only those.
	TrustedHops int
	Limits      Limits
	Quotas      Quotas
	Version     string // of the program; shown in documents and health
}

// Limits are the bounds in force, which hello announces to clients.
type Limits struct {
	FrameBytes     int `json:"frame_bytes"` // of a frame after ready, and of a request body
	BodyBytes      int `json:"body_bytes"`  // of a message's body; New sets it from the domain
	SendsPerSecond int `json:"sends_per_second"`
	SendBurst      int `json:"send_burst"`
	// DeliveriesPerSecond are those that one user may cause: a message to a chat is one
	// for each member. BytesPerDay is what one user may store on a day in UTC, on all
	// nodes, 800 for each event included. 0 is no limit.
	DeliveriesPerSecond int `json:"deliveries_per_second"`
	BytesPerDay         int `json:"bytes_per_day"`

	ChatMembers  int `json:"chat_members"`   // New sets it from the domain
	ChatsPerUser int `json:"chats_per_user"` // New sets it from the domain

	// Of one file, of a message, and of all files of a user, where 0 is no limit. New sets them
	// from the domain, if there are files.
	FileBytes        int64 `json:"file_bytes,omitempty"`
	Attachments      int   `json:"attachments,omitempty"`
	UserStorageBytes int64 `json:"user_storage_bytes"`

	ReceiptsMembers int `json:"receipts_members"`
	ResumeWindow    int `json:"resume_window"`
	ResumeEvents    int `json:"resume_events"`
}

// Quotas are the bounds in force that clients are not told of; 0 is no limit.
type Quotas struct {
	SignupsPerIPPerMinute int
	LoginsPerIPPerMinute  int
	ConnectionsPerUser    int
	Connections           int // of this node, SSE streams among them
	Strangers             int // of those, how many may not have authenticated yet; at most and by default 1,024
	RequestsPerSecond     int // of one user, commands other than sends included; 0: resumes and searches are unlimited, too
	RequestBurst          int
	PeoplePerMinute       int // whom one user puts into chats, themselves included where they make one
	PeopleBurst           int
}

// DefaultLimits are those of the wire contract.
func DefaultLimits() Limits {
	d := chat.DefaultLimits()
	return Limits{
		FrameBytes: 64 << 10, BodyBytes: d.BodyBytes, SendsPerSecond: 10, SendBurst: 20, DeliveriesPerSecond: 10_000, BytesPerDay: 100 << 20,
		ChatMembers: d.ChatMembers, ChatsPerUser: d.ChatsPerUser,
		ReceiptsMembers: 64, ResumeWindow: 500, ResumeEvents: 2000,
	}
}

// DefaultQuotas keep password guessing slow without locking an office out.
func DefaultQuotas() Quotas {
	return Quotas{SignupsPerIPPerMinute: 30, LoginsPerIPPerMinute: 60, ConnectionsPerUser: 32,
		Connections: 50_000, RequestsPerSecond: 100, RequestBurst: 400,
		PeoplePerMinute: 120, PeopleBurst: 600}
}

// Observer counts. Its methods are called concurrently and must not block.
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
	// Reset is one reset sent to a client.
	Reset(reason string)
}

// Tracer follows some sends through the nodes.
type Tracer interface {
	// Begin decides by lot whether a send is followed; trace is empty if not. end is
	// called with the outcome, as Observer.Send gets it. Begin is called concurrently
	// and must not block.
	Begin(name string) (trace string, end func(outcome string))
}

// Timeline remembers when messages passed each stage. Its methods are called
// concurrently.
type Timeline interface {
	// Received notes when a send was read, once it is a message. It must not block.
	Received(chatID string, seq int64, at time.Time)
	// Nodes returns what each node that can be reached knows of a message, without
	// those that know nothing.
	Nodes(ctx context.Context, chatID string, seq int64) []timeline.Stages
}

// Deps are the parts that the server builds on.
type Deps struct {
	Chat      *chat.Service
	Search    Searcher
	Hub       *hub.Hub
	Presence  Presence
	Page      http.Handler // the page at /; nil: none
	Health    Health       // nil: the node reports that it is starting
	Log       *slog.Logger
	Security  *security.Log // nil: nothing is noted
	Observer  Observer      // nil: nothing is counted
	Tracer    Tracer        // nil: nothing is followed
	Timeline  Timeline      // nil: nothing is remembered
	Providers Providers     // nil: there are none
	Files     Files         // nil: there are none; and
	Uploads   Uploads       // where there are, uploads in parts
	// Pressure is how near the node is to refusing sends, from 0 to 1, at which it
	// does. It is called four times a second. nil: there is none.
	Pressure func() float64
}
