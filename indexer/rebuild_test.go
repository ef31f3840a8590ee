package indexer

import (
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// An index that holds nothing although there are messages is made by itself.
func TestEmptyIndexIsRebuilt(t *testing.T) {
	inOffice(t, func(o *office) {
		for n := range 3500 {
			o.books.write(n, "old")
		}
		o.books.outbox = map[string]int64{} // they were indexed once
		o.start("a")
		o.settle(0)
	})
}

// What is sent, edited and deleted during a rebuild is in the new index as it is
// in the old one, whichever page it belongs to.
func TestRebuildMissesNothing(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a")
		o.write(x, numbers(0, 12500)...)
		o.settle(time.Second)
		page := 0
		o.books.mu.Lock()
		o.books.paged = func() {
			page++
			o.write(x, page, 4500, 11000, 20000+page) // behind, in front, and new
			o.books.erase(10 + page)
			o.books.erase(12200 + page)
			if hits, err := x.Search(o.Context(), chat.IndexQuery{Limit: 1}); err != nil || hits.Total < 12000 {
				o.Errorf("during the rebuild %d are found, %v", hits.Total, err)
			}
		}
		o.books.mu.Unlock()
		if err := RequestRebuild(o.Context(), o.books, "job"); err != nil {
			o.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		x.Wake(1)
		o.settle(time.Minute)
		if j, err := ReadJob(o.Context(), o.books); err != nil || j.State != JobDone || j.Done == 0 {
			o.Errorf("the job is %+v, %v", j, err)
		}
	})
}

// A node that fails in the middle of a rebuild begins it anew, and so does the
// one that takes over.
func TestRebuildIsTakenOver(t *testing.T) {
	inOffice(t, func(o *office) {
		x, stop := o.start("a")
		o.write(x, numbers(0, 7500)...)
		o.settle(time.Second)
		pages := 0
		o.books.mu.Lock()
		o.books.paged = func() {
			if pages++; pages == 2 {
				o.engine.set(true)
			}
		}
		o.books.mu.Unlock()
		if err := RequestRebuild(o.Context(), o.books, "job"); err != nil {
			o.Fatal(err)
		}
		x.Wake(1)
		time.Sleep(5 * time.Second)
		stop()
		o.engine.set(false)
		o.start("b", func(c *Config) { c.PollEvery = 250 * time.Millisecond })
		o.settle(time.Minute)
		if j, err := ReadJob(o.Context(), o.books); err != nil || j.State != JobDone {
			o.Errorf("the job is %+v, %v", j, err)
		}
	})
}

// A rebuild that is requested while another runs is made as well, and that it is
// done is not said before.
func TestRebuildRequestedTwice(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a", often)
		o.write(x, 1)
		o.settle(time.Second)
		pages := 0
		o.books.mu.Lock()
		o.books.paged = func() {
			if pages++; pages == 1 {
				if err := RequestRebuild(o.Context(), o.books, "second"); err != nil {
					o.Error(err)
				}
			}
		}
		o.books.mu.Unlock()
		if err := RequestRebuild(o.Context(), o.books, "first"); err != nil {
			o.Fatal(err)
		}
		o.settle(10 * time.Second)
		if j, err := ReadJob(o.Context(), o.books); err != nil || j.ID != "second" || j.State != JobDone || pages < 2 {
			o.Errorf("the job is %+v, %v, after %d pages", j, err, pages)
		}
	})
}

func TestRebuildWithPoison(t *testing.T) {
	inOffice(t, func(o *office) {
		x, _ := o.start("a")
		o.write(x, numbers(0, 20)...)
		o.settle(time.Second)
		o.books.write(7, "poison")
		o.books.outbox = map[string]int64{}
		if err := RequestRebuild(o.Context(), o.books, "job"); err != nil {
			o.Fatal(err)
		}
		x.Wake(1)
		time.Sleep(time.Minute)
		synctest.Wait()
		if have := o.engine.have(); len(have) != 19 || o.books.waiting() != 1 || !o.books.refused[name(7)] {
			o.Errorf("%d are indexed, %d wait", len(have), o.books.waiting())
		}
	})
}

// Whatever came to be different without the outbox knowing is found and mended.
func TestComparison(t *testing.T) {
	inOffice(t, func(o *office) {
		for n := range 2500 {
			o.books.write(n, "sound")
			o.engine.docs[name(n)] = Document{ID: name(n), Version: 1}
		}
		o.books.outbox = map[string]int64{}
		delete(o.engine.docs, name(3))                                     // lost
		o.engine.docs[name(1700)] = Document{ID: name(1700), Version: 5}   // from another history
		o.engine.docs[name(90000)] = Document{ID: name(90000), Version: 1} // of no message
		o.start("a", func(c *Config) { c.PollEvery, c.CompareEvery = 250*time.Millisecond, time.Minute })
		o.settle(10 * time.Second)
		o.engine.mu.Lock()
		delete(o.engine.docs, name(4))
		o.engine.mu.Unlock()
		o.settle(2 * time.Minute) // compared again
	})
}
