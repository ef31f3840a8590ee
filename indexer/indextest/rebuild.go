package indextest

import (
	"context"
	"sync"

	"fechatter/indexer"
)

func (f *fixture) rebuild() indexer.Rebuild {
	f.Helper()
	r, err := f.Rebuild(f.Context())
	f.must(err)
	return r
}

func batch(docs ...indexer.Document) indexer.Batch { return indexer.Batch{Documents: docs} }

func testSwap(f *fixture) {
	f.say("old tea", "old coffee")
	r := f.rebuild()
	f.must(r.Apply(f.Context(), batch(message(0, "new tea"), message(2, "new milk"))))
	f.must(r.Apply(f.Context(), batch(message(3, "new water"))))
	f.must(r.Apply(f.Context(), indexer.Batch{Deleted: names([]int{3, 4})}))
	f.finds(words("old"), 0, 1)
	f.finds(words("new"))
	f.count(2)
	f.must(r.Swap(f.Context()))
	f.finds(words("old"))
	f.finds(words("new"), 0, 2)
	f.count(2)
	f.apply(message(5, "new again"))
	f.finds(words("new"), 0, 2, 5)
}

func testSwapEmpty(f *fixture) {
	f.say("tea")
	f.must(f.rebuild().Swap(f.Context()))
	f.count(0)
	f.finds(words("tea"))
	f.apply(message(0, "tea"))
	f.finds(words("tea"), 0)
}

func testDrop(f *fixture) {
	f.say("old")
	r := f.rebuild()
	f.must(r.Apply(f.Context(), batch(message(1, "new"))))
	f.must(r.Drop(f.Context()))
	f.finds(words("old"), 0)
	f.finds(words("new"))
	f.apply(message(2, "old"))
	f.finds(words("old"), 0, 2)
}

func testSecondRebuild(f *fixture) {
	f.say("old")
	first := f.rebuild()
	f.must(first.Apply(f.Context(), batch(message(1, "first"))))
	second := f.rebuild()
	f.must(second.Apply(f.Context(), batch(message(2, "second"))))
	f.finds(words("old"), 0)
	f.must(second.Swap(f.Context()))
	f.finds(words(), 2)
	f.count(1)
}

// Until the swap, the index behaves as if there were no rebuild.
func testChangesWhileRebuilding(f *fixture) {
	f.say("old")
	r := f.rebuild()
	f.apply(message(1, "between"))
	f.finds(words("between"), 1)
	f.must(r.Apply(f.Context(), batch(message(0, "new"), message(1, "between"))))
	f.must(f.Prepare(f.Context()))
	f.delete(0)
	f.finds(words(), 1)
	f.must(r.Swap(f.Context()))
	f.finds(words(), 0, 1)
}

// A search at any moment sees either the old or the new index.
func testSearchesWhileSwapping(f *fixture) {
	f.say("stays", "stays")
	ctx, cancel := context.WithCancel(f.Context())
	var searching sync.WaitGroup
	defer searching.Wait()
	defer cancel()
	for range 3 {
		searching.Go(func() {
			for ctx.Err() == nil {
				found, err := f.Search(f.Context(), words("stays"))
				if err != nil || len(found.Hits) != 2 || found.Total != 2 {
					f.Errorf("found %v, %v", found, err)
					return
				}
			}
		})
	}
	for range 3 {
		r := f.rebuild()
		f.must(r.Apply(f.Context(), batch(message(0, "stays"), message(1, "stays"))))
		f.must(r.Swap(f.Context()))
	}
}
