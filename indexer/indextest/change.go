package indextest

import (
	"maps"
	"slices"

	"fechatter/indexer"
)

func (f *fixture) count(want int64) {
	f.Helper()
	got, err := f.Count(f.Context())
	f.must(err)
	if got != want {
		f.Errorf("%d documents, want %d", got, want)
	}
}

func (f *fixture) versions(ids []string, want map[string]int64) {
	f.Helper()
	got, err := f.Versions(f.Context(), ids)
	f.must(err)
	if !maps.Equal(got, want) {
		f.Errorf("versions %v, want %v", got, want)
	}
}

// delete deletes messages.
func (f *fixture) delete(numbers ...int) {
	f.Helper()
	f.must(f.Apply(f.Context(), indexer.Batch{Deleted: names(numbers)}))
}

func testReplace(f *fixture) {
	f.say("green tea", "coffee")
	edited := by(bob, in(other, message(0, "black milk")))
	edited.Version, edited.HasLink, edited.CreatedAt = 7, true, start+50_000
	f.apply(edited)
	f.count(2)
	f.finds(words("green"))
	f.finds(words("tea"))
	f.finds(words("black"))
	q := words("black")
	q.ChatIDs, q.SenderIDs, q.Links, q.Since = []string{other}, []string{bob}, true, start+50_000
	f.finds(q, 0)
	if hits := f.search(q).Hits; len(hits) != 1 || hits[0].Version != 7 {
		f.Errorf("found %+v, want version 7", hits)
	}
	f.finds(words(), 1)
}

func testDelete(f *fixture) {
	f.say("tea", "tea", "tea")
	f.delete(1)
	f.finds(words("tea"), 0, 2)
	f.count(2)
	f.delete(1, 9999)
	f.count(2)
	f.must(f.Apply(f.Context(), indexer.Batch{Documents: []indexer.Document{message(1, "coffee")}, Deleted: names([]int{0})}))
	f.finds(words("tea"), 2)
	f.finds(words("coffee"), 1)
	f.count(2)
	f.apply(message(0, "tea"))
	f.finds(words("tea"), 0, 2)
}

func testAgain(f *fixture) {
	batch := indexer.Batch{Documents: []indexer.Document{message(0, "tea"), message(1, "coffee")}, Deleted: names([]int{2})}
	for range 3 {
		f.must(f.Apply(f.Context(), batch))
		f.count(2)
		f.finds(words("tea"), 0)
		f.finds(words(), 0, 1)
	}
}

func testNothing(f *fixture) {
	f.count(0)
	f.finds(words("tea"))
	f.finds(words())
	f.versions(names([]int{1}), map[string]int64{})
	f.must(f.Apply(f.Context(), indexer.Batch{}))
	f.count(0)
}

func testVersions(f *fixture) {
	second := message(1, "coffee")
	second.Version = 1 << 40
	f.apply(message(0, "tea"), second, message(2, ""))
	f.versions(names([]int{0, 1, 2, 3}), map[string]int64{id(0): 1, id(1): 1 << 40, id(2): 1})
	f.versions(nil, map[string]int64{})
	f.delete(0)
	f.versions(names([]int{0, 1}), map[string]int64{id(1): 1 << 40})
	if hits := f.search(words("coffee")).Hits; len(hits) != 1 || hits[0].Version != 1<<40 {
		f.Errorf("found %+v", hits)
	}
}

func testPage(f *fixture) {
	var docs []indexer.Document
	var want []string
	for n := range 25 {
		docs = append(docs, message(n, "tea"))
		want = append(want, id(n))
	}
	f.apply(docs[:10]...)
	f.apply(docs[10:]...)
	for _, limit := range []int{1, 7, 25, 100} {
		got := f.pages(limit)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			f.Errorf("pages of %d: %v", limit, got)
		}
	}
}

// pages lists all ids page by page.
func (f *fixture) pages(limit int) []string {
	f.Helper()
	var list []string
	for after, asked := "", 0; ; asked++ {
		page, next, err := f.Page(f.Context(), after, limit)
		f.must(err)
		if len(page) > limit || asked > 100 {
			f.Fatalf("page %d has %d ids, limit %d", asked, len(page), limit)
		}
		list = append(list, page...)
		if next == "" {
			return list
		}
		after = next
	}
}

func testCount(f *fixture) {
	f.say("one", "two", "three")
	f.count(3)
	f.apply(message(1, "four"))
	f.count(3)
	f.delete(0, 1, 2)
	f.count(0)
	if got := f.pages(10); len(got) != 0 {
		f.Errorf("pages of an empty index: %v", got)
	}
}

func testPrepareAgain(f *fixture) {
	f.say("tea")
	f.must(f.Prepare(f.Context()))
	f.finds(words("tea"), 0)
	f.count(1)
}
