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
	rereadEvery  = 15 * time.Second // of everyone who is watched, whatever was announced
	recheckEvery = time.Minute      // of whether watchers still may watch
	factsTimeout = 5 * time.Second  // for one question to the database
	stopTimeout  = 2 * time.Second  // for the work after ctx has ended
	chunk        = 500              // users in one question
	renewChunk   = 1000             // leases in one renewal, which bounds how long Redis is busy
	announceMost = 5000             // users in one announcement
	readers      = 8                // clients' reads at once; the others wait
)

// Config configures a Tracker. The zero value is the default.
type Config struct {
	// AwayAfter is how long a person has to be idle on all devices to be away. The
	// default is 5 minutes; a few seconds is the finest that is observed.
	AwayAfter time.Duration
}

// Facts is what lasts, in the database: use cases of chat.Service. Every method
// may be called concurrently and honours ctx.
type Facts interface {
	PresenceFacts(ctx context.Context, userIDs []string) ([]chat.PresenceFacts, error)
	VisiblePresence(ctx context.Context, viewerID string, userIDs []string) ([]chat.PresenceFacts, error)
	SetPresence(ctx context.Context, userID string, setting chat.PresenceState, lastActive chat.Time) error
	SaveLastActive(ctx context.Context, at map[string]chat.Time) error
}

// Announcer tells all other nodes, on a best effort, that the presence of some
// users may have changed; they pass it to Tracker.Changed. It is called at most
// once a second, with at most 5,000 ids, and must not block.
type Announcer interface {
	Announce(userIDs []string)
}

// Tracker is a node's side of presence: the connections here, and who watches
// whom. All methods may be called concurrently; nothing is renewed, noticed or
// pushed unless Run is running.
type Tracker struct {
	cfg       Config
	leases    Leases
	facts     Facts
	announcer Announcer
	log       *slog.Logger
	start     time.Time
	reading   chan struct{} // holds a token for each read in progress

	mu       sync.Mutex
	people   map[string]*person   // with a device here
	renewals *wheel[*Device]      // when each lease is renewed
	urgent   map[*Device]struct{} // to be renewed at the next beat
	released []*Device            // left since the last beat
	idle     *agenda              // when people may become away
	watched  map[string]*watched  // people whom somebody here watches
	rereads  *wheel[*watched]
	rechecks *wheel[*Device]
	starting map[*Device]time.Time // watches, by when they were answered
	suspect  map[*Device]struct{}  // whose answer was given while they were rechecked
	changed  map[string]struct{}   // of watched: to read again
	announce map[string]struct{}   // changed here: to tell other nodes
	gone     map[string]chat.Time  // last activities to save

	unavailable, factless outage
}

// New returns a tracker over leases that it shares with other nodes.
func New(cfg Config, leases Leases, facts Facts, announcer Announcer, log *slog.Logger) *Tracker {
	cfg.AwayAfter = cmp.Or(cfg.AwayAfter, 5*time.Minute)
	return &Tracker{
		cfg: cfg, leases: leases, facts: facts, announcer: announcer, log: log, start: time.Now(), reading: make(chan struct{}, readers),
		people:   map[string]*person{},
		renewals: newWheel[*Device](min(renewEvery, max(tick, cfg.AwayAfter/4))),
		urgent:   map[*Device]struct{}{},
		idle:     newAgenda(),
		watched:  map[string]*watched{},
		rereads:  newWheel[*watched](rereadEvery),
		rechecks: newWheel[*Device](recheckEvery),
		starting: map[*Device]time.Time{}, suspect: map[*Device]struct{}{},
		changed: map[string]struct{}{}, announce: map[string]struct{}{}, gone: map[string]chat.Time{},
		unavailable: outage{what: "presence leases"}, factless: outage{what: "presence facts"},
	}
}

// Run renews, notices and pushes until ctx ends. Then it releases the leases of
// everyone still here, so that they are offline after the grace period unless
// they connect elsewhere, and returns nil. Call it once.
func (t *Tracker) Run(ctx context.Context) error {
	beaten := make(chan struct{}, 1)
	var parts sync.WaitGroup
	parts.Go(func() { t.runBeats(ctx, beaten) })
	parts.Go(func() { t.runRounds(ctx, beaten) })
	parts.Go(func() { everyTick(ctx, func() { t.recheck(ctx) }) })
	parts.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	t.releaseAll(ctx)
	t.saveGone(ctx)
	return nil
}

// runBeats talks to the leases once a second. It never waits for the database: a
// slow one must not cost anybody their lease.
func (t *Tracker) runBeats(ctx context.Context, beaten chan<- struct{}) {
	everyTick(ctx, func() {
		t.beat(ctx)
		select {
		case beaten <- struct{}{}:
		default: // the round in progress is followed by another, which sees what is new
		}
	})
}

// everyTick calls do once per tick until ctx ends, never twice at a time.
func everyTick(ctx context.Context, do func()) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			do()
		}
	}
}

// runRounds passes on what the beats noticed.
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

// Set changes a person's setting: online, away, dnd or invisible; anything else
// is bad_request. It counts as activity.
func (t *Tracker) Set(ctx context.Context, userID string, setting chat.PresenceState) error {
	var last chat.Time
	readings, err := t.leases.Read(ctx, []string{userID})
	if err == nil { // otherwise the stored activity stands
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

// ProfileChanged notes that a person's status was changed on this node.
func (t *Tracker) ProfileChanged(userID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mark(userID)
}

// Changed applies an announcement of another node.
func (t *Tracker) Changed(userIDs []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range userIDs {
		t.reread(id)
	}
}

// mark notes a change that this node noticed, to be told here and elsewhere.
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
