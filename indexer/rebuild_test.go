package indexer

import (
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// An index that is empty although there are messages is rebuilt automatically.
func TestEmptyIndexIsRebuilt(t *testing.T) {
	withRig(t, func(r *rig) {
		for n := range 3500 {
			r.store.write(n, "old")
		}
		r.store.outbox = map[string]int64{} // they were indexed before
		r.start("a")
		r.converges(0)
	})
}

// What is sent, edited and deleted during a rebuild is in the new index just as in
// the old one, whichever page it belongs to.
func TestRebuildMissesNothing(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a")
		r.write(x, numbers(0, 12500)...)
		r.converges(time.Second)
		page := 0
		r.store.mu.Lock()
		r.store.paged = func() {
			page++
			r.write(x, page, 4500, 11000, 20000+page) // already read, still to be read, and new
			r.store.erase(10 + page)
			r.store.erase(12200 + page)
			if hits, err := x.Search(r.Context(), chat.IndexQuery{Limit: 1}); err != nil || hits.Total < 12000 {
				r.Errorf("during the rebuild a search finds %d, %v", hits.Total, err)
			}
		}
		r.store.mu.Unlock()
		if err := RequestRebuild(r.Context(), r.store, "job"); err != nil {
			r.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		x.Wake(1)
		r.converges(time.Minute)
		if j, err := ReadJob(r.Context(), r.store); err != nil || j.State != JobDone || j.Done == 0 {
			r.Errorf("the job is %+v, %v", j, err)
		}
	})
}

// A node that fails in the middle of a rebuild starts it over, and so does the node
// that takes over.
func TestRebuildIsTakenOver(t *testing.T) {
	withRig(t, func(r *rig) {
		x, stop := r.start("a")
		r.write(x, numbers(0, 7500)...)
		r.converges(time.Second)
		pages := 0
		r.store.mu.Lock()
		r.store.paged = func() {
			if pages++; pages == 2 {
				r.engine.set(true)
			}
		}
		r.store.mu.Unlock()
		if err := RequestRebuild(r.Context(), r.store, "job"); err != nil {
			r.Fatal(err)
		}
		x.Wake(1)
		time.Sleep(5 * time.Second)
		stop()
		r.engine.set(false)
		r.start("b", func(c *Config) { c.PollEvery = 250 * time.Millisecond })
		r.converges(10 * time.Second)
		if j, err := ReadJob(r.Context(), r.store); err != nil || j.State != JobDone {
			r.Errorf("the job is %+v, %v", j, err)
		}
	})
}

// A rebuild requested while another is running runs after it, and is not reported
// done before.
func TestRebuildRequestedTwice(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a", often)
		r.write(x, 1)
		r.converges(time.Second)
		pages := 0
		r.store.mu.Lock()
		r.store.paged = func() {
			if pages++; pages == 1 {
				if err := RequestRebuild(r.Context(), r.store, "second"); err != nil {
					r.Error(err)
				}
			}
		}
		r.store.mu.Unlock()
		if err := RequestRebuild(r.Context(), r.store, "first"); err != nil {
			r.Fatal(err)
		}
		r.converges(10 * time.Second)
		if j, err := ReadJob(r.Context(), r.store); err != nil || j.ID != "second" || j.State != JobDone || pages < 2 {
			r.Errorf("the job is %+v, %v, after %d pages", j, err, pages)
		}
	})
}

func TestRebuildWithPoison(t *testing.T) {
	withRig(t, func(r *rig) {
		x, _ := r.start("a")
		r.write(x, numbers(0, 20)...)
		r.converges(time.Second)
		r.store.write(7, "poison")
		r.store.outbox = map[string]int64{}
		if err := RequestRebuild(r.Context(), r.store, "job"); err != nil {
			r.Fatal(err)
		}
		x.Wake(1)
		time.Sleep(time.Minute)
		synctest.Wait()
		if have := r.engine.have(); len(have) != 19 || r.store.waiting() != 1 || !r.store.refused[name(7)] {
			r.Errorf("%d indexed, %d waiting", len(have), r.store.waiting())
		}
	})
}

// Differences that the outbox does not know of are found and repaired.
func TestComparison(t *testing.T) {
	withRig(t, func(r *rig) {
		for n := range 2500 {
			r.store.write(n, "sound")
			r.engine.docs[name(n)] = Document{ID: name(n), Version: 1}
		}
		r.store.outbox = map[string]int64{}
		delete(r.engine.docs, name(3))                                     // lost
		r.engine.docs[name(1700)] = Document{ID: name(1700), Version: 5}   // from another history
		r.engine.docs[name(90000)] = Document{ID: name(90000), Version: 1} // without a message
		r.start("a", func(c *Config) { c.PollEvery, c.CompareEvery = 250*time.Millisecond, time.Minute })
		r.converges(10 * time.Second)
		r.engine.mu.Lock()
		delete(r.engine.docs, name(4))
		r.engine.mu.Unlock()
		r.converges(2 * time.Minute) // compared again
	})
}
