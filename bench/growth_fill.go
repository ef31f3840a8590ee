package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/uuid"

	"fechatter/chat"
	"fechatter/persistence"
)

const (
	// fillGroup is how many messages share a transaction of the fill, and fillAhead how many wait.
	fillGroup = 2048
	fillAhead = 8192
	// needleEvery is how often a message has a word that no other has.
	needleEvery = 100
	// fingerprint has the length of a real one.
	fingerprint = "0123456789abcdef0123456789abcdef"
)

// nobody hears of what the fill stores.
type nobody struct{}

func (nobody) Publish([]chat.Event) {}

// grow stops the node, fills the database through the store, and starts the node again.
func (g *growing) grow(ctx context.Context, _ options, run *growthRun) error {
	if err := g.end(); err != nil {
		return err
	}
	began, missing := time.Now(), run.Messages-g.filled
	if err := g.fill(ctx, run.Messages); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	run.Fill = hundredths(float64(missing) / time.Since(began).Seconds())
	return g.server.restart(ctx)
}

// end stops the node in order, so that the next start finds nothing to mend.
func (g *growing) end() error {
	if err := g.server.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return g.server.cmd.Wait()
}

// fill stores messages until there are so many. A third of them is in the first chat.
func (g *growing) fill(ctx context.Context, messages int) (err error) {
	store, err := persistence.Open(ctx, persistence.Config{URL: g.url, BatchSize: fillGroup, QueueLength: 2 * fillAhead, StatementTimeout: time.Minute},
		nobody{}, newID, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- store.Run(running) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-ended, store.Close())
	}()
	rng := rand.New(rand.NewPCG(5, uint64(g.filled)))
	ahead, failed := make(chan struct{}, fillAhead), make(chan error, 1)
	for ; g.filled < messages; g.filled++ {
		select {
		case ahead <- struct{}{}:
		case err := <-failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
		store.Enqueue(g.message(g.filled, rng), func(_ chat.Sent, err error) {
			if err != nil {
				select {
				case failed <- err:
				default: // the first is enough
				}
			}
			<-ahead
		})
	}
	for range fillAhead { // until nothing is ahead any more
		ahead <- struct{}{}
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func (g *growing) message(n int, rng *rand.Rand) chat.Send {
	chats := g.users[0].team.chats
	to := chats[n%len(chats)]
	if n%3 == 0 {
		to = chats[0]
	}
	body := g.search.text(rng)
	if n%needleEvery == 0 {
		body += " " + needle(n)
	}
	return chat.Send{ChatID: to, SenderID: g.users[n%len(g.users)].id, Key: newID(), Body: body, MessageID: newID(), OpID: newID(), Fingerprint: []byte(fingerprint), MaxChats: math.MaxInt32}
}

// needle is a word of message n alone, unlike those of all others.
func needle(n int) string { return fmt.Sprintf("needle%dx", n) }

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// weigh waits until the index has everything, then starts the node anew and lets it rest.
func (g *growing) weigh(ctx context.Context, o options, run *growthRun) error {
	began := time.Now()
	if err := g.search.awaitIndexed(ctx); err != nil {
		return err
	}
	run.Index = hundredths(time.Since(began).Seconds())
	if err := g.end(); err != nil {
		return err
	}
	if err := g.server.restart(ctx); err != nil {
		return err
	}
	run.Ready = float64(g.server.took.Microseconds()) / 1000
	if err := sleep(ctx, o.rest); err != nil {
		return err
	}
	rss, err := g.server.rss()
	run.RSS = megabytes(rss)
	run.Disk, run.IndexMB = megabytes(size(g.disk)+size(g.disk+"-wal")), megabytes(size(filepath.Join(g.server.dir, "data", "search")))
	return err
}

func megabytes(n int64) float64 { return hundredths(float64(n) / (1 << 20)) }
