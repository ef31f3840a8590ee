package persistence_test

import (
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
	"fechatter/persistence"
)

// TestJobsDoNotAskTheNodeForTheTime: the clock of the bubble is decades behind, which
// changes nothing. On SQLite alone: the timers of pgx would leave the bubble.
func TestJobsDoNotAskTheNodeForTheTime(t *testing.T) {
	const lasts = 10 * time.Minute
	store := start(t, persistence.Config{URL: sqliteURL(t)}, nobody{})
	claim := func(want string) (j chat.ClaimedJob) {
		t.Helper()
		jobs, err := store.ClaimJobs(t.Context(), "k", lasts, 9)
		if err != nil || len(jobs) != 1 || jobs[0].Key != want {
			t.Fatalf("claimed %v, %v, want %s", jobs, err, want)
		}
		return jobs[0]
	}
	dueIn := func(what string) {
		t.Helper()
		in, known, err := store.NextJob(t.Context(), "k")
		if err != nil || !known || in < lasts/2 || in > lasts {
			t.Errorf("%s in %s, %v, want within %s", what, in, err, lasts)
		}
	}
	put := func(key string) {
		t.Helper()
		if err := store.PutJobs(t.Context(), chat.Job{Kind: "k", Key: key, Payload: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	put("before")
	synctest.Test(t, func(t *testing.T) {
		if time.Now().Year() != 2000 {
			t.Fatal("the clock of the bubble is not off")
		}
		j := claim("before")
		dueIn("the claim runs out")
		if ours, err := store.RetryJob(t.Context(), j, lasts, "x"); err != nil || !ours {
			t.Fatal(ours, err)
		}
		dueIn("it is tried again")
		put("within")
	})
	if j := claim("within"); j.Age > time.Minute {
		t.Errorf("it seems to be %s old", j.Age)
	}
}
