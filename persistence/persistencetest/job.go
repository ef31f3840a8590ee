package persistencetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"fechatter/chat"
)

// long is a claim that does not run out within a test, and brief one that soon does.
const (
	long  = 10 * time.Minute
	brief = time.Millisecond
)

func (f *fixture) put(jobs ...chat.Job) {
	f.t.Helper()
	must(f.t, f.store.PutJobs(f.t.Context(), jobs...))
}

// claim claims whatever is due.
func (f *fixture) claim(lasts time.Duration) []chat.ClaimedJob {
	f.t.Helper()
	jobs, err := f.store.ClaimJobs(f.t.Context(), "k", lasts, 100)
	must(f.t, err)
	return jobs
}

// claimOne claims the only job, as soon as it can be.
func (f *fixture) claimOne(lasts time.Duration) chat.ClaimedJob {
	f.t.Helper()
	for begin := time.Now(); time.Since(begin) < time.Minute; {
		switch jobs := f.claim(lasts); len(jobs) {
		case 0:
		case 1:
			return jobs[0]
		default:
			f.t.Fatalf("%d jobs, want one", len(jobs))
		}
	}
	f.t.Fatal("no job becomes claimable")
	return chat.ClaimedJob{}
}

// count returns how many jobs wait, are claimed and are dead.
func (f *fixture) count() string {
	f.t.Helper()
	counts, err := f.store.CountJobs(f.t.Context())
	must(f.t, err)
	if len(counts) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d waiting, %d claimed, %d dead", counts[0].Waiting, counts[0].Claimed, counts[0].Dead)
}

func ours(t testing.TB, what string, want bool) func(bool, error) {
	return func(got bool, err error) {
		t.Helper()
		must(t, err)
		equal(t, what+" by the one who holds the claim", got, want)
	}
}

func testJobs(t *testing.T, f *fixture) {
	f.put(chat.Job{Kind: "k", Key: "b", Payload: []byte(`{"n":2}`)}, chat.Job{Kind: "other", Key: "b", Payload: []byte("{}")},
		chat.Job{Kind: "k", Key: "a", Payload: []byte(`{"n":1}`), DueAt: 1})
	equal(t, "before", f.count(), "2 waiting, 0 claimed, 0 dead")
	jobs := f.claim(long)
	equalSlices(t, "due at the same time", mapTo(jobs, func(j chat.ClaimedJob) string { return j.Key + string(j.Payload) }), []string{`a{"n":1}`, `b{"n":2}`})
	equal(t, "attempts", jobs[0].Attempts, 1)
	equal(t, "claimed again", len(f.claim(long)), 0)
	in, known, err := f.store.NextJob(t.Context(), "k")
	must(t, err)
	equal(t, "there is a next one", known && in > long/2 && in <= long, true)
	ours(t, "finish", true)(f.store.FinishJob(t.Context(), jobs[0]))
	ours(t, "finish twice", false)(f.store.FinishJob(t.Context(), jobs[0]))
	ours(t, "retry", true)(f.store.RetryJob(t.Context(), jobs[1], long, "no route"))
	equal(t, "while it waits", len(f.claim(long)), 0)
	in, known, err = f.store.NextJob(t.Context(), "k")
	must(t, err)
	equal(t, "it is due later", known && in > long/2 && in <= long, true)
	_, known, err = f.store.NextJob(t.Context(), "none")
	must(t, err)
	equal(t, "of another kind", known, false)
	equal(t, "after", f.count(), "1 waiting, 0 claimed, 0 dead")
}

// testJobsAtOnce: many claimers get each job once.
func testJobsAtOnce(t *testing.T, f *fixture) {
	const many = 60
	for i := range many {
		f.put(chat.Job{Kind: "k", Key: fmt.Sprint(i), Payload: []byte("{}")})
	}
	var mu sync.Mutex
	var claimers sync.WaitGroup
	got := map[string]int{}
	for range 6 {
		claimers.Go(func() {
			for {
				jobs, err := f.store.ClaimJobs(t.Context(), "k", long, 3)
				fine(t, err)
				mu.Lock()
				for _, j := range jobs {
					got[j.Key]++
				}
				all := len(got)
				mu.Unlock()
				if err != nil || all == many {
					return
				}
			}
		})
	}
	claimers.Wait()
	equal(t, "jobs claimed", len(got), many)
	for key, n := range got {
		equal(t, "times that "+key+" was claimed", n, 1)
	}
}

// testLateFinisher: whoever worked longer than the claim lasted undoes nothing.
func testLateFinisher(t *testing.T, f *fixture) {
	f.put(chat.Job{Kind: "k", Key: "a", Payload: []byte("{}")})
	late := f.claimOne(brief)
	current := f.claimOne(long)
	equal(t, "attempts", current.Attempts, 2)
	ours(t, "finish", false)(f.store.FinishJob(t.Context(), late))
	ours(t, "retry", false)(f.store.RetryJob(t.Context(), late, 0, "late"))
	ours(t, "bury", false)(f.store.BuryJob(t.Context(), late, "late"))
	ours(t, "release", false)(f.store.ReleaseJob(t.Context(), late))
	equal(t, "after the late one", f.count(), "0 waiting, 1 claimed, 0 dead")
	ours(t, "finish", true)(f.store.FinishJob(t.Context(), current))
	equal(t, "in the end", f.count(), "none")
}

// testClaimFromTheFuture: a claim from before the database's clock went back keeps nobody
// out. It lasts as long as a day would seem to one who claims for seconds.
func testClaimFromTheFuture(t *testing.T, f *fixture) {
	f.put(chat.Job{Kind: "k", Key: "a", Payload: []byte("{}")})
	f.claimOne(24 * time.Hour)
	equal(t, "claimed by one who claims for a minute", len(f.claim(time.Minute)), 1)
	equal(t, "and by the next", len(f.claim(time.Minute)), 0)
}

// testReplacedJob: what is put while its forerunner is at work is neither lost nor done at
// the same time.
func testReplacedJob(t *testing.T, f *fixture) {
	end := map[string]func(j chat.ClaimedJob) (bool, error){
		"finish": func(j chat.ClaimedJob) (bool, error) { return f.store.FinishJob(t.Context(), j) },
		"retry": func(j chat.ClaimedJob) (bool, error) {
			return f.store.RetryJob(t.Context(), j, long, "the old one failed")
		},
		"bury":    func(j chat.ClaimedJob) (bool, error) { return f.store.BuryJob(t.Context(), j, "the old one is dead") },
		"release": func(j chat.ClaimedJob) (bool, error) { return f.store.ReleaseJob(t.Context(), j) },
	}
	for what, fn := range end {
		f.put(chat.Job{Kind: "k", Key: "a", Payload: []byte("1")})
		first := f.claimOne(long)
		f.put(chat.Job{Kind: "k", Key: "a", Payload: []byte("2")})
		equal(t, "while the first is at work", len(f.claim(long)), 0)
		ours(t, what, true)(fn(first))
		second := f.claimOne(long)
		equal(t, "the second after "+what, string(second.Payload), "2")
		equal(t, "its attempts after "+what, second.Attempts, 1)
		ours(t, "finish the second", true)(f.store.FinishJob(t.Context(), second))
		equal(t, "in the end", f.count(), "none")
	}
	f.put(chat.Job{Kind: "k", Key: "a", Payload: []byte("1"), DueAt: chat.Time(1 << 50)})
	f.put(chat.Job{Kind: "k", Key: "a", Payload: []byte("2")})
	equal(t, "brought forward", string(f.claimOne(long).Payload), "2")
}

// testKeptJob: a job that is put to be kept wakes, and changes nothing.
func testKeptJob(t *testing.T, f *fixture) {
	keep := chat.Job{Kind: "k", Key: "a", Payload: []byte("2"), Keep: true}
	f.put(chat.Job{Kind: "k", Key: "a", Payload: []byte("1")})
	f.put(keep)
	j := f.claimOne(long)
	equal(t, "payload", string(j.Payload), "1")
	ours(t, "finish", true)(f.store.FinishJob(t.Context(), j))
	equal(t, "when it was put before the work began", f.count(), "none")
	f.put(keep)
	j = f.claimOne(long)
	f.put(keep)
	ours(t, "finish", true)(f.store.FinishJob(t.Context(), j))
	j = f.claimOne(long)
	f.put(keep)
	ours(t, "retry", true)(f.store.RetryJob(t.Context(), j, long, "no route"))
	f.put(keep)
	equal(t, "while it pauses", len(f.claim(long)), 0)
}

func testDeadJobs(t *testing.T, f *fixture) {
	ann, bob := f.user("ann"), f.user("bob")
	for i := range 5 {
		f.put(chat.Job{Kind: "k", Key: fmt.Sprint(i), Payload: []byte(`{"private":true}`)})
		ours(t, "bury", true)(f.store.BuryJob(t.Context(), f.claimOne(long), "550 no such user"))
	}
	equal(t, "dead", f.count(), "0 waiting, 0 claimed, 5 dead")
	equal(t, "claimable", len(f.claim(long)), 0)
	by := chat.ByUser(ann.ID)
	dead := pages(t, func(p chat.Page) ([]chat.DeadJob, string, error) { return f.svc.DeadJobs(t.Context(), by, p) })
	equal(t, "dead letters", len(dead), 5)
	equal(t, "problem", dead[0].Problem, "550 no such user")
	must(t, f.svc.ReviveJob(t.Context(), by, "k", "3"))
	j := f.claimOne(long)
	equal(t, "revived", fmt.Sprint(j.Key, " ", j.Attempts), "3 1")
	refused(t, f.svc.ReviveJob(t.Context(), by, "k", "3"), chat.NotFound)
	refused(t, f.svc.DropJob(t.Context(), by, "k", "3"), chat.NotFound)
	must(t, f.svc.DropJob(t.Context(), by, "k", "2"))
	f.put(chat.Job{Kind: "k", Key: "1", Payload: []byte("{}"), Keep: true})
	equal(t, "in the end", f.count(), "0 waiting, 1 claimed, 3 dead")
	f.put(chat.Job{Kind: "k", Key: "1", Payload: []byte("{}")})
	equal(t, "put again", f.claimOne(long).Key, "1")

	other := chat.ByUser(bob.ID)
	_, _, err := f.svc.DeadJobs(t.Context(), other, chat.Page{Limit: 1})
	refused(t, err, chat.Forbidden)
	_, err = f.svc.CountJobs(t.Context(), other)
	refused(t, err, chat.Forbidden)
	refused(t, f.svc.ReviveJob(t.Context(), other, "k", "0"), chat.Forbidden)
	refused(t, f.svc.DropJob(t.Context(), other, "k", "0"), chat.Forbidden)
	entries, _, err := f.svc.Audit(t.Context(), by, chat.Page{Limit: 2})
	must(t, err)
	equalSlices(t, "audit", mapTo(entries, func(e chat.AuditEntry) string { return string(e.Action) + " " + e.Detail }), []string{"job.dropped k 2", "job.revived k 3"})
}

// testJobsAreWrittenWithTheirCause: a job of a transaction that fails was never there.
func testJobsAreWrittenWithTheirCause(t *testing.T, f *fixture) {
	f.put(chat.Job{Kind: "k", Key: "a", Payload: []byte("{}")})
	ours(t, "bury", true)(f.store.BuryJob(t.Context(), f.claimOne(long), "x"))
	err := f.store.Administer(t.Context(), "", func(ctx context.Context, tx chat.AdminTx) error {
		must(t, tx.ReviveJob(ctx, "k", "a"))
		return chat.Errorf(chat.Conflict, "no")
	})
	refused(t, err, chat.Conflict)
	equal(t, "after the rollback", f.count(), "0 waiting, 0 claimed, 1 dead")
}
