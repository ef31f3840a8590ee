// Package indextest is one suite for the index of every search engine. It requires
// what chat.IndexQuery and indexer.Index promise and no more: which messages are
// found, in which order if that is promised, and what is marked. It knows nothing
// about scores.
package indextest

import (
	"fmt"
	"slices"
	"testing"

	"fechatter/chat"
	"fechatter/indexer"
)

const (
	room  = "room-1"
	other = "room-2"
	alice = "alice-1"
	bob   = "bob-1"

	start chat.Time = 1_750_000_000_000
)

// Run runs the suite. open returns an index that is empty and not yet prepared; the
// suite closes it. The parts run in parallel, except those named in without.
func Run(t *testing.T, open func(t testing.TB) indexer.Index, without ...string) {
	for name, part := range map[string]func(*fixture){
		"words": testWords, "prefix": testPrefix, "typos": testTypos, "phrases": testPhrases,
		"Chinese": testChinese, "Japanese": testJapanese, "Korean": testKorean, "mixed scripts": testMixed,
		"other scripts": testOtherScripts, "emoji": testEmoji, "URLs": testURLs, "mentions": testMentions, "diacritics": testDiacritics,
		"marks": testMarks, "marks of phrases": testPhraseMarks, "marks apart": testMarksApart,
		"chats": testChats, "no chats": testNoChats, "many chats": testManyChats, "sender": testSender, "time": testTime,
		"links": testLinks, "filters together": testFilters, "filters only": testFiltersOnly, "newest first": testNewestFirst, "total": testTotal,
		"replace": testReplace, "delete": testDelete, "again": testAgain, "nothing": testNothing, "versions": testVersions,
		"page": testPage, "count": testCount, "prepare again": testPrepareAgain,
		"swap": testSwap, "swap an empty one": testSwapEmpty, "drop": testDrop, "second rebuild": testSecondRebuild,
		"changes while rebuilding": testChangesWhileRebuilding, "searches while swapping": testSearchesWhileSwapping,
		"hostile words": testHostileWords, "hostile filters": testHostileFilters, "long words": testLongWord, "long text": testLongText,
		"searches while changing": testSearchesWhileChanging, "cancelled": testCancelled,
	} {
		if slices.Contains(without, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fixture{T: t, Index: open(t)}
			t.Cleanup(func() {
				if err := f.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			f.must(f.Prepare(t.Context()))
			part(f)
		})
	}
}

type fixture struct {
	*testing.T
	indexer.Index
}

// message returns a document in room by alice. The n-th is n seconds after start.
func message(n int, body string) indexer.Document {
	return indexer.Document{
		ID: id(n), ChatID: room, Seq: int64(n), SenderID: alice, Body: body,
		CreatedAt: start + chat.Time(n)*1000, Version: 1,
	}
}

func id(n int) string { return fmt.Sprintf("message-%06d", n) }

// words returns a query for words in room.
func words(w ...string) chat.IndexQuery {
	return chat.IndexQuery{Words: w, ChatIDs: []string{room}, Limit: 100}
}

func prefix(w ...string) chat.IndexQuery {
	q := words(w...)
	q.Prefix = true
	return q
}

func phrases(p ...string) chat.IndexQuery {
	return chat.IndexQuery{Phrases: p, ChatIDs: []string{room}, Limit: 100}
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) apply(docs ...indexer.Document) {
	f.Helper()
	f.must(f.Apply(f.Context(), indexer.Batch{Documents: docs}))
}

// say stores bodies as the messages 0, 1, 2 …
func (f *fixture) say(bodies ...string) {
	f.Helper()
	docs := make([]indexer.Document, len(bodies))
	for n, body := range bodies {
		docs[n] = message(n, body)
	}
	f.apply(docs...)
}

func (f *fixture) search(q chat.IndexQuery) chat.IndexHits {
	f.Helper()
	found, err := f.Search(f.Context(), q)
	if err != nil {
		f.Fatalf("search %+v: %v", brief(q), err)
	}
	if len(found.Hits) > q.Limit || found.Total < len(found.Hits) {
		f.Fatalf("search %+v: %d hits of %d, limit %d", brief(q), len(found.Hits), found.Total, q.Limit)
	}
	return found
}

// finds requires that exactly those messages are found, in any order.
func (f *fixture) finds(q chat.IndexQuery, want ...int) {
	f.Helper()
	got, expected := ids(f.search(q)), names(want)
	slices.Sort(got)
	slices.Sort(expected)
	if !slices.Equal(got, expected) {
		f.Errorf("search %+v found %v, want %v", brief(q), got, expected)
	}
}

// lists requires that exactly those messages are found, in that order.
func (f *fixture) lists(q chat.IndexQuery, want ...int) {
	f.Helper()
	if got := ids(f.search(q)); !slices.Equal(got, names(want)) {
		f.Errorf("search %+v found %v, want %v", brief(q), got, names(want))
	}
}

func ids(found chat.IndexHits) []string {
	list := make([]string, len(found.Hits))
	for i, hit := range found.Hits {
		list[i] = hit.ID
	}
	return list
}

func names(numbers []int) []string {
	list := make([]string, len(numbers))
	for i, n := range numbers {
		list[i] = id(n)
	}
	return list
}

// brief returns a query shortened for printing.
func brief(q chat.IndexQuery) chat.IndexQuery {
	if len(q.ChatIDs) > 3 {
		q.ChatIDs = append(slices.Clone(q.ChatIDs[:3]), fmt.Sprintf("… %d", len(q.ChatIDs)))
	}
	q.Words = slices.Clone(q.Words)
	for i, w := range q.Words {
		if len(w) > 80 {
			q.Words[i] = fmt.Sprintf("%s… %d bytes", w[:80], len(w))
		}
	}
	return q
}
