package server

import (
	"bytes"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"fechatter/chat"
	"fechatter/hub"
)

// Server answers requests. It is safe for concurrent use.
type Server struct {
	cfg      Config
	limits   Limits
	chat     *chat.Service
	hub      *hub.Hub
	log      *slog.Logger
	observer Observer
	tracer   Tracer
	timeline Timeline

	origins origins
	sends   *limiter // by user id; over REST and every connection
	signups *limiter // by address
	logins  *limiter // by address
	budgets budgets  // by user id

	handler   http.Handler
	documents documents
	realtime  *realtime
	messages  sync.Pool // of *bytes.Buffer for messages being read: idle connections have none
	health    healthPages
	hints     hints
	pressure  func() float64 // nil: nobody measures
	shed      atomic.Int32   // the tier in force
	presence  Presence
	search    Searcher
}

// New builds the front end. The error says what of cfg cannot work.
func New(cfg Config, deps Deps) (*Server, error) {
	o, err := newOrigins(cfg.PublicURL, cfg.AllowedOrigins)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, limits: cfg.Limits, chat: deps.Chat, hub: deps.Hub, presence: deps.Presence, search: deps.Search, pressure: deps.Pressure, log: deps.Log, observer: deps.Observer, tracer: deps.Tracer, timeline: deps.Timeline,
		origins: o, realtime: newRealtime(), messages: sync.Pool{New: func() any { return new(bytes.Buffer) }}, health: healthPages{health: deps.Health, version: cfg.Version},
		sends:   newLimiter(cfg.Limits.SendsPerSecond, time.Second, cfg.Limits.SendBurst),
		signups: newLimiter(cfg.Quotas.SignupsPerIPPerMinute, time.Minute, cfg.Quotas.SignupsPerIPPerMinute),
		logins:  newLimiter(cfg.Quotas.LoginsPerIPPerMinute, time.Minute, cfg.Quotas.LoginsPerIPPerMinute),
		budgets: newBudgets(cfg.Quotas),
	}
	s.hints = hints{typing: newTyping(), receipts: newReceipts()}
	if s.observer == nil {
		s.observer = nobody{}
	}
	if s.timeline == nil {
		s.timeline = forgetful{}
	}
	d := deps.Chat.Limits()
	s.limits.BodyBytes, s.limits.ChatMembers, s.limits.ChatsPerUser = d.BodyBytes, d.ChatMembers, d.ChatsPerUser
	s.handler = s.build(deps.Page)
	return s, nil
}

// Handler serves everything but the admin listener's paths.
func (s *Server) Handler() http.Handler { return s.handler }

type nobody struct{}

func (nobody) Request(string, string, int, time.Duration) {}
func (nobody) Command(string, string, time.Duration)      {}
func (nobody) Send(string, time.Duration)                 {}
func (nobody) Resume(string)                              {}
func (nobody) Reset(string)                               {}
