package persistencetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fechatter/chat"
)

func testIndexLog(t *testing.T, f *fixture) {
	ann := f.user("ann")
	c, l := f.group(ann), f.lead()
	since := func(position string) (bodies []string, end string) {
		t.Helper()
		for end = position; ; {
			entries, next, known, err := f.store.IndexedSince(t.Context(), end)
			must(t, err)
			equal(t, "known: "+end, known, true)
			if len(entries) == 0 {
				return bodies, end
			}
			for _, e := range entries {
				body := "deleted"
				if e.Message != nil {
					body = fmt.Sprint(e.Message.Body, e.Version)
				}
				bodies = append(bodies, body)
			}
			slices.Sort(bodies)
			end = next
		}
	}
	start, err := f.store.IndexPosition(t.Context())
	must(t, err)
	one, two := f.send(c, ann, "one"), f.send(c, ann, "two")
	first := f.done(l, f.pending(l, 10))
	equal(t, "after nothing", f.done(l, nil), first)
	tail, err := f.store.Unindexed(t.Context(), ann.ID, 10)
	must(t, err)
	equal(t, "indexed", tail.Indexed, 2)
	equal(t, "not indexed", len(tail.Messages), 0)
	three := f.send(c, ann, "three")
	second := f.done(l, f.pending(l, 10))
	_, _, err = f.svc.Edit(t.Context(), ann.ID, one.MessageID, "uno", 1)
	must(t, err)
	_, err = f.svc.Delete(t.Context(), ann.ID, two.MessageID)
	must(t, err)
	bodies, end := since(start)
	equalSlices(t, "all, as they are now", bodies, []string{"deleted", "three1", "uno2"})
	equal(t, "the end", end, second)
	bodies, _ = since(first)
	equalSlices(t, "after the first batch", bodies, []string{"three1"})
	last := f.done(l, f.pending(l, 10))
	bodies, end = since(second)
	equalSlices(t, "after the second", bodies, []string{"deleted", "uno2"})
	equal(t, "the end", end, last)
	for _, position := range []string{"", "x", "1/", "3/" + three.MessageID, "-1/x", last + "x"} {
		_, _, known, err := f.store.IndexedSince(t.Context(), position)
		must(t, err)
		equal(t, "known: "+position, known, false)
	}
	f.send(c, ann, "four")
	read := f.pending(l, 10)
	_, err = f.store.AcquireLease(t.Context(), l, -time.Second) // expires at once
	must(t, err)
	_, held, err := f.store.IndexDone(t.Context(), l, read)
	must(t, err)
	equal(t, "done without the lease", held, false)
	equal(t, "it still waits", len(f.pending(f.lead(), 10)), 1)
	end, err = f.store.IndexPosition(t.Context())
	must(t, err)
	equal(t, "the end", end, last)
}

// A backlog is indexed in large batches, of which only a few may be in memory at once.
func testIndexLogInPortions(t *testing.T, f *fixture) {
	l := f.lead()
	position, err := f.store.IndexPosition(t.Context())
	must(t, err)
	const batches, size = 3, 700
	for range batches {
		entries := make([]chat.IndexEntry, size)
		for i := range entries {
			entries[i] = chat.IndexEntry{MessageID: NewID(), Version: 1}
		}
		f.done(l, entries)
	}
	for _, want := range []int{2 * size, (batches - 2) * size, 0} {
		entries, next, known, err := f.store.IndexedSince(t.Context(), position)
		must(t, err)
		equal(t, "known", known, true)
		equal(t, "messages in the portion", len(entries), want)
		position = next
	}
}
