package server

import (
	"log/slog"
	"net/http"
	"reflect"
	"runtime"
	"sync/atomic"
	"time"

	"fechatter/chat"
	"fechatter/hub"
	"fechatter/security"
)

// Server answers requests. It is safe for concurrent use.
type Server struct {
	cfg      Config
	limits   Limits
	chat     *chat.Service
	hub      *hub.Hub
	log      *slog.Logger
	security *security.Log
	observer Observer
	tracer   Tracer
	timeline Timeline

	origins origins
	hosts   Hosts
	rates   rates
	usage   *usage
	guesses *guesses
	codes   *guesses // wrong codes of second steps; who makes them has the password
	hashing *hashing

	commands  commandTable
	envelope  form // of a command
	encoders  encoders
	handler   http.Handler
	mux       *http.ServeMux  // of the table
	batchable map[string]bool // by its patterns
	acting    *acting
	documents documents
	realtime  *realtime
	health    healthPages
	hints     hints
	pressure  func() float64 // nil: not measured
	shed      atomic.Int64   // the tier in force
	caused    caused
	presence  Presence
	search    Searcher
	searches  *turns
	providers Providers
	files     Files
	uploads   Uploads

	workspaces *workspaces
}

// New builds the front end. The error tells which part of cfg cannot work.
func New(cfg Config, deps Deps) (*Server, error) {
	o, err := newOrigins(cfg.PublicURL, cfg.AllowedOrigins)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, limits: cfg.Limits, hub: deps.Hub, presence: deps.Presence, search: deps.Search, searches: newTurns(maxSearches(), maxUserSearches),
		pressure: deps.Pressure, providers: deps.Providers, log: deps.Log, security: deps.Security, observer: deps.Observer, tracer: deps.Tracer, timeline: deps.Timeline,
		origins: o, hosts: o.hosts(cfg.AllowedHosts), rates: newRates(cfg.Limits, cfg.Quotas), guesses: newGuesses(), codes: newGuesses(), hashing: newHashing(runtime.GOMAXPROCS(0)), commands: newCommandTable(), envelope: formOf(reflect.TypeFor[command]()),
		realtime:   newRealtime(cfg.Quotas),
		health:     healthPages{health: deps.Health, version: cfg.Version},
		workspaces: newWorkspaces(), acting: newActing(),
		hints: hints{typing: newTyping(), receipts: newReceipts(), blocks: newBlocks()},
	}
	if s.providers == nil {
		s.providers = noProviders{}
	}
	if s.files, s.uploads = deps.Files, deps.Uploads; s.files == nil {
		s.files, s.uploads = noFiles{}, noFiles{}
	}
	if s.observer == nil {
		s.observer = noObserver{}
	}
	if s.timeline == nil {
		s.timeline = noTimeline{}
	}
	s.chat = deps.Chat.Metered(meter{s})
	s.usage = newUsage(int64(cfg.Limits.BytesPerDay), deps.Chat)
	d := deps.Chat.Limits()
	s.limits.BodyBytes, s.limits.ChatMembers, s.limits.ChatsPerUser = d.BodyBytes, d.ChatMembers, d.ChatsPerUser
	if deps.Files != nil {
		s.limits.FileBytes, s.limits.Attachments, s.limits.UserStorageBytes = d.FileBytes, d.Attachments, d.UserStorageBytes
	}
	s.handler = s.build(deps.Page)
	return s, nil
}

// Handler serves everything but the admin listener's paths.
func (s *Server) Handler() http.Handler { return s.handler }

// Probes serves /livez and /readyz as the operator may see them, for the admin listener.
func (s *Server) Probes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", s.health.livez)
	mux.HandleFunc("GET /readyz", s.health.parts)
	return mux
}

type noObserver struct{}

func (noObserver) Request(string, string, int, time.Duration) {}
func (noObserver) Command(string, string, time.Duration)      {}
func (noObserver) Send(string, time.Duration)                 {}
func (noObserver) Resume(string)                              {}
func (noObserver) Reset(string)                               {}
