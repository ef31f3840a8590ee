package presence

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"fechatter/chat"
)

const (
	tick         = time.Second
	rereadEvery  = 15 * time.Second // of what is watched, whatever was announced
	recheckEvery = time.Minute      // whether those who watch still may
	factsTimeout = 5 * time.Second  // of one question to the database
	stopTimeout  = 2 * time.Second  // for what is done after the end
	chunk        = 500              // users in one question
	renewChunk   = 1000             // leases in one renewal: a bound on how long Redis is busy
	announceMost = 5000             // users in one announcement
	readers      = 8                // clients' questions at once; the others wait
)

// Config is how the tracker decides. The zero value is the default.
type Config struct {
	AwayAfter time.Duration // without activity on any device; default 5 min; less than a few seconds is not kept to
}

// Facts is what lasts, in the database: the use cases of chat.Service. Every
// method may be called concurrently and honours ctx.
type Facts interface {
	PresenceFacts(ctx context.Context, userIDs []string) ([]chat.PresenceFacts, error)
	VisiblePresence(ctx context.Context, viewerID string, userIDs []string) ([]chat.PresenceFacts, error)
	SetPresence(ctx context.Context, userID string, setting chat.PresenceState, lastActive chat.Time) error
	SaveLastActive(ctx context.Context, at map[string]chat.Time) error
}

// Announcer tells the trackers of all other nodes, as well as it can, that the
// presence of some users may have changed: there, Changed is to be called. It
// is called at most once a second, with at most 5,000 ids, and must not block.
type Announcer interface {
	Announce(userIDs []string)
}

// Tracker is a node's side of presence: the connections here, and who watches
// whom. All methods may be called concurrently; nothing is renewed, noticed or
// pushed unless Run runs.
type Tracker struct {
	cfg       Config
	leases    Leases
	facts     Facts
	announcer Announcer
	log       *slog.Logger
	start     time.Time
	reading   chan struct{} // holds a token for each question of a client under way

	mu       sync.Mutex
	people   map[string]*person   // who has a device here
	renewals *wheel[*Device]      // when each lease is renewed
	urgent   map[*Device]struct{} // to be renewed at the next beat
	released []*Device            // of devices that left since the last beat
	idle     *timeline            // when people may become away
	watched  map[string]*watched  // whose presence somebody here watches
	rereads  *wheel[*watched]
	rechecks *wheel[*Device]
	starting map[*Device]time.Time // watches that were answered, and when
	changed  map[string]struct{}   // of watched: to be read
	announce map[string]struct{}   // changed here: other nodes are to be told
	gone     map[string]chat.Time  // last activities that are to be saved

	unavailable, factless outage
}

// New makes a tracker over leases that it shares with other nodes.
func New(cfg Config, leases Leases, facts Facts, announcer Announcer, log *slog.Logger) *Tracker {
	cfg.AwayAfter = cmp.Or(cfg.AwayAfter, 5*time.Minute)
	return &Tracker{
		cfg: cfg, leases: leases, facts: facts, announcer: announcer, log: log, start: time.Now(), reading: make(chan struct{}, readers),
		people:   map[string]*person{},
		renewals: newWheel[*Device](min(renewEvery, max(tick, cfg.AwayAfter/4))),
		urgent:   map[*Device]struct{}{},
		idle:     newTimeline(),
		watched:  map[string]*watched{},
		rereads:  newWheel[*watched](rereadEvery),
		rechecks: newWheel[*Device](recheckEvery),
		starting: map[*Device]time.Time{},
		changed:  map[string]struct{}{}, announce: map[string]struct{}{}, gone: map[string]chat.Time{},
		unavailable: outage{what: "presence leases"}, factless: outage{what: "presence facts"},
	}
}

// Run renews, notices and pushes until ctx ends. Then it releases the leases of
// whoever is still here, so that they are offline after the grace unless they
// connect elsewhere, and returns nil. Call it once.
func (t *Tracker) Run(ctx context.Context) error {
	beaten := make(chan struct{}, 1)
	var parts sync.WaitGroup
	parts.Go(func() { t.runBeats(ctx, beaten) })
	parts.Go(func() { t.runRounds(ctx, beaten) })
	parts.Go(func() { t.runRechecks(ctx) })
	parts.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	t.releaseAll(ctx)
	t.saveGone(ctx)
	return nil
}

// runBeats speaks to the leases, once a second. The database is not waited for
// here: a slow one must not cost anybody their lease.
func (t *Tracker) runBeats(ctx context.Context, beaten chan<- struct{}) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		t.beat(ctx)
		select {
		case beaten <- struct{}{}:
		default: // the round before is not over; it will see what is new
		}
	}
}

// runRounds tells what the beats noticed.
func (t *Tracker) runRounds(ctx context.Context, beaten <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-beaten:
			t.round(ctx)
		}
	}
}

func (t *Tracker) runRechecks(ctx context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			t.recheck(ctx)
		}
	}
}

// Set changes a person's setting: online, away, dnd or invisible; anything else
// is bad_request. It counts as activity.
func (t *Tracker) Set(ctx context.Context, userID string, setting chat.PresenceState) error {
	var last chat.Time
	readings, err := t.leases.Read(ctx, []string{userID})
	if err == nil { // without it the stored activity stands
		last = readings[0].LastActiveAt
	}
	if err := t.facts.SetPresence(ctx, userID, setting, last); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.people[userID]; p != nil {
		t.act(p)
	}
	t.mark(userID)
	return nil
}

// ProfileChanged says that what a person shows beside their state was changed
// on this node: their status text.
func (t *Tracker) ProfileChanged(userID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mark(userID)
}

// Changed takes the announcement of another node.
func (t *Tracker) Changed(userIDs []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range userIDs {
		t.reread(id)
	}
}

// mark notes a change that this node noticed: to be told here and elsewhere.
func (t *Tracker) mark(userID string) {
	t.announce[userID] = struct{}{}
	t.reread(userID)
}

func (t *Tracker) reread(userID string) {
	if t.watched[userID] != nil {
		t.changed[userID] = struct{}{}
	}
}

func (t *Tracker) elapsed() time.Duration { return time.Since(t.start) }
