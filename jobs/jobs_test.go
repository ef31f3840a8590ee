package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"fechatter/chat"
	"fechatter/jobs"
	"fechatter/persistence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const kind = chat.JobKind("k")

// ample is a claim that does not run out within a test.
const ample = 10 * time.Minute

type nobody struct{}

func (nobody) Publish([]chat.Event) {}

// openStore returns a store on an empty database, and a way to look into it.
func openStore(t *testing.T) (*persistence.Store, *sql.DB) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "chat.db")
	newID := func() string { return uuid.Must(uuid.NewV7()).String() }
	store, err := persistence.Open(context.Background(), persistence.Config{URL: "sqlite:" + file}, nobody{}, newID, quiet())
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(db.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	return store, db
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// run runs a node's workers, and returns how to end them.
func run(t *testing.T, r *jobs.Runner) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Error("the workers do not end")
		}
	})
	t.Cleanup(stop)
	return stop
}

func put(t *testing.T, store *persistence.Store, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if err := store.PutJobs(t.Context(), chat.Job{Kind: kind, Key: key, Payload: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("not within a minute: ", what)
}

func counted(t *testing.T, store *persistence.Store) string {
	t.Helper()
	counts, err := store.CountJobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(counts) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d waiting, %d claimed, %d dead", counts[0].Waiting, counts[0].Claimed, counts[0].Dead)
}

func outcomes(r *jobs.Runner) string {
	var list []string
	for _, o := range []string{"done", "retried", "dead", "released", "lost"} {
		if n := r.Stats()[0].Outcomes[o]; n > 0 {
			list = append(list, fmt.Sprint(n, " ", o))
		}
	}
	return strings.Join(list, ", ")
}

// TestTwoNodesDoAJobOnce: and they share the work as far as each has workers.
func TestTwoNodesDoAJobOnce(t *testing.T) {
	store, _ := openStore(t)
	var mu sync.Mutex
	done, busy, most := map[string]int{}, 0, 0
	do := func(_ context.Context, j chat.ClaimedJob) error {
		mu.Lock()
		done[j.Key]++
		busy++
		most = max(most, busy)
		mu.Unlock()
		defer func() { mu.Lock(); busy--; mu.Unlock() }()
		return nil
	}
	k := jobs.Kind{Name: kind, Workers: 2, Claim: ample, Attempts: 1, Pause: time.Hour, MaxPause: time.Hour, Do: do}
	second := jobs.New(store, nil, quiet(), k)
	first := jobs.New(store, second.Wake, quiet(), k)
	store.ObserveJobs(first.Put)
	run(t, first)
	run(t, second)
	const many = 100
	for i := range many {
		put(t, store, fmt.Sprint(i))
	}
	eventually(t, "all are done", func() bool { return counted(t, store) == "none" })
	for key, n := range done {
		if n != 1 {
			t.Errorf("%s was done %d times", key, n)
		}
	}
	if len(done) != many || most > 4 {
		t.Errorf("%d were done, at most %d at once, want %d and 4", len(done), most, many)
	}
}

// TestBusyNodeCallsForHelp: the others are told of a job once each worker here has one, and not
// while there is a free one.
func TestBusyNodeCallsForHelp(t *testing.T) {
	store, _ := openStore(t)
	begun, hold, called := make(chan string, 2), make(chan struct{}), make(chan chat.JobKind, 2)
	defer close(hold)
	r := jobs.New(store, func(k chat.JobKind) { called <- k }, quiet(), jobs.Kind{Name: kind, Workers: 2, Claim: ample, Attempts: 1, Pause: time.Hour, MaxPause: time.Hour,
		Do: func(_ context.Context, j chat.ClaimedJob) error { begun <- j.Key; <-hold; return nil }})
	store.ObserveJobs(r.Put)
	run(t, r)
	put(t, store, "first")
	<-begun
	put(t, store, "second")
	<-begun
	select {
	case k := <-called:
		if k != kind || len(called) > 0 {
			t.Errorf("the call was for %s, and %d more", k, len(called))
		}
	case <-time.After(10 * time.Second):
		t.Error("nobody was called")
	}
}

// TestDeadNodesJobIsDoneByAnother: whatever the dead one did before it could say so is done
// again.
func TestDeadNodesJobIsDoneByAnother(t *testing.T) {
	store, db := openStore(t)
	put(t, store, "a")
	if dead, err := store.ClaimJobs(t.Context(), kind, ample, 1); err != nil || len(dead) != 1 {
		t.Fatal(dead, err)
	}
	var attempts atomic.Int64
	r := jobs.New(store, nil, quiet(), jobs.Kind{Name: kind, Workers: 1, Claim: ample, Attempts: 3, Pause: time.Hour, MaxPause: time.Hour,
		Do: func(_ context.Context, j chat.ClaimedJob) error { attempts.Store(int64(j.Attempts)); return nil }})
	run(t, r)
	if _, err := db.ExecContext(t.Context(), "UPDATE jobs SET claimed_until = 1"); err != nil { // its time passes
		t.Fatal(err)
	}
	r.Wake(kind)
	eventually(t, "it is done", func() bool { return counted(t, store) == "none" })
	if attempts.Load() != 2 {
		t.Errorf("it was attempt %d, want the second", attempts.Load())
	}
}

// TestPoisonReachesTheDeadLetters: what fails, panics or ends nodes is not tried for ever.
func TestPoisonReachesTheDeadLetters(t *testing.T) {
	store, db := openStore(t)
	var tries atomic.Int64
	r := jobs.New(store, nil, quiet(), jobs.Kind{Name: kind, Workers: 1, Claim: ample, Attempts: 3, Pause: time.Nanosecond, MaxPause: time.Nanosecond,
		Do: func(_ context.Context, j chat.ClaimedJob) error {
			tries.Add(1)
			switch j.Key {
			case "panics":
				panic("poison\x00\nof a kind")
			case "hopeless":
				return fmt.Errorf("send: %w", jobs.Hopeless(errors.New("550 no such user")))
			}
			return errors.New("try later " + strings.Repeat("ü", 500))
		}})
	problems := map[string]string{"fails": "try later üü", "panics": "panic: poison? of a kind", "hopeless": "send: 550 no such user", "kills": "nodes ended while"}
	attempts := map[string]int{"fails": 3, "panics": 3, "hopeless": 1, "kills": 4}
	put(t, store, "fails", "panics", "hopeless", "kills")
	if _, err := db.ExecContext(t.Context(), "UPDATE jobs SET attempts = 3 WHERE key = 'kills'"); err != nil {
		t.Fatal(err)
	}
	run(t, r)
	eventually(t, "all are dead", func() bool { return counted(t, store) == "0 waiting, 0 claimed, 4 dead" })
	dead, _, err := store.DeadJobs(t.Context(), chat.Page{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range dead {
		if !strings.HasPrefix(j.Problem, problems[j.Key]) || j.Attempts != attempts[j.Key] || len(j.Problem) > 500 {
			t.Errorf("%s after %d attempts: %q", j.Key, j.Attempts, j.Problem)
		}
	}
	if tries.Load() != 7 {
		t.Errorf("%d tries, want 3 + 3 + 1", tries.Load())
	}
	eventually(t, "it is counted", func() bool { return outcomes(r) == "4 retried, 4 dead" })
}

// TestGivesUpInTime: a job that is older than it may be is not tried again.
func TestGivesUpInTime(t *testing.T) {
	store, db := openStore(t)
	put(t, store, "old", "young")
	if _, err := db.ExecContext(t.Context(), "UPDATE jobs SET created_at = created_at - 7200000 WHERE key = 'old'"); err != nil {
		t.Fatal(err)
	}
	run(t, jobs.New(store, nil, quiet(), jobs.Kind{Name: kind, Workers: 1, Claim: ample, Attempts: 100, Give: time.Hour, Pause: time.Hour, MaxPause: time.Hour,
		Do: func(context.Context, chat.ClaimedJob) error { return errors.New("no") }}))
	eventually(t, "one is dead", func() bool { return counted(t, store) == "1 waiting, 0 claimed, 1 dead" })
}

// TestDueTimeWakes: a job is done when it is due, without anybody's call.
func TestDueTimeWakes(t *testing.T) {
	store, _ := openStore(t)
	var mu sync.Mutex
	var order []string
	_, now, err := store.Epoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var list []chat.Job
	for key, in := range map[string]time.Duration{"second": 600 * time.Millisecond, "first": 200 * time.Millisecond, "never": time.Hour} {
		list = append(list, chat.Job{Kind: kind, Key: key, Payload: []byte("{}"), DueAt: now.Add(in)})
	}
	if err := store.PutJobs(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	run(t, jobs.New(store, nil, quiet(), jobs.Kind{Name: kind, Workers: 1, Claim: ample, Attempts: 1, Pause: 1, MaxPause: 1,
		Do: func(_ context.Context, j chat.ClaimedJob) error {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, j.Key)
			return nil
		}}))
	eventually(t, "those that are due are done", func() bool { return counted(t, store) == "1 waiting, 0 claimed, 0 dead" })
	mu.Lock()
	defer mu.Unlock()
	if fmt.Sprint(order) != "[first second]" {
		t.Errorf("done: %v", order)
	}
}

// TestStopGivesBack: a node that stops lets those at work end, and gives back what does not
// end in time; the attempt does not count.
func TestStopGivesBack(t *testing.T) {
	store, _ := openStore(t)
	begun, hurry := make(chan string, 2), make(chan struct{})
	r := jobs.New(store, nil, quiet(), jobs.Kind{Name: kind, Workers: 2, Claim: ample, Attempts: 1, Pause: 1, MaxPause: 1,
		Do: func(ctx context.Context, j chat.ClaimedJob) error {
			begun <- j.Key
			if j.Key == "quick" {
				<-hurry
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}}).WithGrace(10 * time.Millisecond)
	put(t, store, "quick", "endless", "waits")
	stop := run(t, r)
	first, second := <-begun, <-begun
	if first+second != "quickendless" && first+second != "endlessquick" {
		t.Fatal(first, second)
	}
	close(hurry)
	third := make(chan struct{})
	go func() { defer close(third); <-begun }() // the quick one's place
	<-third
	stop()
	if got := counted(t, store); got != "2 waiting, 0 claimed, 0 dead" {
		t.Errorf("after the stop: %s", got)
	}
	again, err := store.ClaimJobs(t.Context(), kind, ample, 9)
	if err != nil || len(again) != 2 || again[0].Attempts != 1 || again[1].Attempts != 1 {
		t.Errorf("claimed after the stop: %+v, %v", again, err)
	}
	if outcomes(r) != "1 done, 2 released" {
		t.Errorf("outcomes: %s", outcomes(r))
	}
}

// unsure is a store that cannot be told what became of a job for a while.
type unsure struct {
	jobs.Store
	failures atomic.Int64
}

func (s *unsure) FinishJob(ctx context.Context, j chat.ClaimedJob) (bool, error) {
	if s.failures.Add(-1) >= 0 {
		return false, errors.New("the database is away")
	}
	return s.Store.FinishJob(ctx, j)
}

// TestDatabaseAway: what was done is said when the database is back, and not done again.
func TestDatabaseAway(t *testing.T) {
	store, _ := openStore(t)
	away := &unsure{Store: store}
	away.failures.Store(2)
	var tries atomic.Int64
	r := jobs.New(away, nil, quiet(), jobs.Kind{Name: kind, Workers: 1, Claim: ample, Attempts: 9, Pause: 1, MaxPause: 1,
		Do: func(context.Context, chat.ClaimedJob) error { tries.Add(1); return nil }})
	put(t, store, "a")
	run(t, r)
	eventually(t, "it is done", func() bool { return counted(t, store) == "none" })
	eventually(t, "it is counted", func() bool { return outcomes(r) != "" })
	if tries.Load() != 1 || outcomes(r) != "1 done" {
		t.Errorf("%d tries, %s", tries.Load(), outcomes(r))
	}
}
