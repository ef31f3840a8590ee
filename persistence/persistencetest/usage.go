package persistencetest

import (
	"cmp"
	"slices"
	"sync"
	"testing"

	"fechatter/chat"
)

// testUsage adds from several nodes at once: nothing is lost, a new day begins anew, and
// a day that is over does not come back.
func testUsage(t *testing.T, f *fixture) {
	ctx := t.Context()
	u, now, err := f.store.Usage(ctx, "ann")
	must(t, err)
	today := now.Day()
	equal(t, "usage of somebody new", u, chat.Usage{UserID: "ann", Day: today})
	var together sync.WaitGroup
	for i := range 8 {
		added := []chat.Usage{{UserID: "ann", Day: today, Bytes: 100}, {UserID: "bob", Day: today, Bytes: int64(i)}}
		if i%2 == 0 {
			slices.Reverse(added)
		}
		together.Go(func() {
			_, err := f.store.AddUsage(ctx, added)
			fine(t, err)
		})
	}
	together.Wait()
	totals, err := f.store.AddUsage(ctx, []chat.Usage{{UserID: "bob", Day: today, Bytes: -8}, {UserID: "ann", Day: today, Bytes: 1}})
	must(t, err)
	slices.SortFunc(totals, byUser)
	equalSlices(t, "totals", totals, []chat.Usage{{UserID: "ann", Day: today, Bytes: 801}, {UserID: "bob", Day: today, Bytes: 20}})
	u, _, err = f.store.Usage(ctx, "ann")
	must(t, err)
	if u.Day == today { // else midnight has passed
		equal(t, "usage", u.Bytes, 801)
	}
	totals, err = f.store.AddUsage(ctx, []chat.Usage{{UserID: "ann", Day: today + 1, Bytes: 5}, {UserID: "bob", Day: today - 1, Bytes: 7}})
	must(t, err)
	slices.SortFunc(totals, byUser)
	equalSlices(t, "totals of other days", totals, []chat.Usage{{UserID: "ann", Day: today + 1, Bytes: 5}, {UserID: "bob", Day: today, Bytes: 20}})
	totals, err = f.store.AddUsage(ctx, []chat.Usage{{UserID: "ann", Day: today, Bytes: 9}})
	must(t, err)
	equalSlices(t, "totals after a day that is over", totals, []chat.Usage{{UserID: "ann", Day: today + 1, Bytes: 5}})
}

func byUser(a, b chat.Usage) int { return cmp.Compare(a.UserID, b.UserID) }
