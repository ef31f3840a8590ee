package indextest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"fechatter/chat"
	"fechatter/indexer"
)

// Every query is plain text and finds nothing outside its chats.
func testHostileWords(f *fixture) {
	f.apply(message(0, "harmless"), in(other, message(1, "secret harmless * ? ( ) \" ' \\ | + - ~ ^")))
	hostile := []string{
		"*", "?", "(", ")", "\"", "'", "\\", "||", "+", "-", "~2", "^", "[", "]", "{", "}", ":", "/.*/", "h*", "harml?ss", "-harmless", "secret",
		"body:secret", "+chat_id:" + other, "chat_id = " + other, "harmless\" OR chat_id = \"" + other, "a\x00b", "\x01", "\u200b\u200bz", "\ufffe", "\xff\xfe1", "secret\u202e",
		strings.Repeat("*", 10_000), strings.Repeat("q", 10_000), strings.Repeat("ab ", 3), strings.Repeat("数", 3_000), strings.Repeat("🎉", 2_000), strings.Repeat("e\u0301", 3_000),
	}
	for _, text := range hostile {
		for _, q := range []chat.IndexQuery{words(text), prefix(text), phrases(text), words("secret", text)} {
			for _, hit := range f.search(q).Hits {
				if hit.ID != id(0) {
					f.Errorf("search %+v found %s", brief(q), hit.ID)
				}
			}
		}
	}
	f.finds(words("h*"))
	f.finds(words("harml?ss"))
	f.finds(words("harmless", "secret"))
	f.finds(words(strings.Repeat("q", 10_000)))
	f.finds(words("harmless"), 0)
}

func testHostileFilters(f *fixture) {
	f.apply(message(0, "tea"), in(other, by(bob, message(1, "tea"))))
	for _, text := range []string{
		"", "*", "room*", "\"", "'", "\\", "\" OR chat_id EXISTS OR chat_id = \"", "' OR chat_id != '", "x\\\" OR sender_id EXISTS",
		"] OR chat_id EXISTS", "a,b", "\x00", strings.Repeat("r", 5_000), "房间", room + "\x00", room + " ", " " + room,
	} {
		q := words("tea")
		q.ChatIDs = []string{text}
		f.finds(q)
		q.ChatIDs = []string{text, room}
		f.finds(q, 0)
		q.SenderIDs = []string{text}
		f.finds(q)
	}
}

// Engines may ignore a word of 16 KB, but not the words beside it.
func testLongWord(f *fixture) {
	long := strings.Repeat("Donaudampfschifffahrt", 780)
	f.say("before "+long, long+" after", long, "short")
	f.finds(words("before"), 0)
	f.finds(words("after"), 1)
	f.finds(words("short"), 3)
	f.count(4)
	f.marks(words("after"), long+" after", "after")
}

func testLongText(f *fixture) {
	chinese := strings.Repeat("今天天气很好我们去公园", 480) + "升级数据库"
	english := strings.Repeat("all work and no play ", 780) + "needle"
	f.say(chinese, english, strings.Repeat("🎉", 4_000), "short")
	f.finds(words("数据库"), 0)
	f.finds(words("needle"), 1)
	f.finds(words("play", "needle"), 1)
	f.finds(words("short"), 3)
	f.marks(words("needle"), english, "needle")
	f.count(4)
}

// Many search while one goroutine changes the index. What does not change is always
// found.
func testSearchesWhileChanging(f *fixture) {
	f.say("stays here")
	ctx, cancel := context.WithCancel(f.Context())
	var searching sync.WaitGroup
	defer searching.Wait()
	defer cancel()
	for n := range 4 {
		searching.Go(func() {
			for ctx.Err() == nil {
				f.probe(n)
			}
		})
	}
	for round := range 5 {
		docs := make([]indexer.Document, 20)
		for n := range docs {
			docs[n] = message(n+1, fmt.Sprintf("round%d number%d", round, n))
		}
		f.apply(docs...)
		q := words(fmt.Sprintf("round%d", round))
		if found := f.search(q); len(found.Hits) != len(docs) {
			f.Errorf("round %d found %d", round, len(found.Hits))
		}
	}
}

func (f *fixture) probe(n int) {
	var err error
	var found chat.IndexHits
	switch n {
	case 0:
		_, err = f.Count(f.Context())
	case 1:
		_, err = f.Versions(f.Context(), names([]int{0, 1, 2}))
	case 2:
		_, _, err = f.Page(f.Context(), "", 10)
	default:
		found, err = f.Search(f.Context(), words("stays"))
		if err == nil && len(found.Hits) != 1 {
			err = fmt.Errorf("found %v", found)
		}
	}
	if err != nil {
		f.Errorf("during changes: %v", err)
	}
}

func testCancelled(f *fixture) {
	f.say("tea")
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	_, searched := f.Search(ctx, words("tea"))
	_, counted := f.Count(ctx)
	_, versions := f.Versions(ctx, names([]int{0}))
	_, _, paged := f.Page(ctx, "", 10)
	_, rebuilt := f.Rebuild(ctx)
	for name, err := range map[string]error{
		"search": searched, "count": counted, "versions": versions, "page": paged, "rebuild": rebuilt,
		"apply": f.Apply(ctx, batch(message(1, "coffee"))), "prepare": f.Prepare(ctx),
	} {
		var refused *indexer.RefusedError
		if err == nil || errors.As(err, &refused) {
			f.Errorf("%s with a cancelled context: %v", name, err)
		}
	}
	f.finds(words("tea"), 0)
	f.apply(message(2, "tea"))
	f.finds(words("tea"), 0, 2)
}
