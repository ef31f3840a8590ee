package indextest

import (
	"fmt"

	"fechatter/chat"
	"fechatter/indexer"
)

// in returns a message moved to another chat.
func in(chatID string, d indexer.Document) indexer.Document {
	d.ChatID = chatID
	return d
}

func by(sender string, d indexer.Document) indexer.Document {
	d.SenderID = sender
	return d
}

func testChats(f *fixture) {
	f.apply(message(0, "tea"), in(other, message(1, "tea")), in("room-10", message(2, "tea")), in("room", message(3, "tea")))
	q := words("tea")
	f.finds(q, 0)
	q.ChatIDs = []string{other}
	f.finds(q, 1)
	q.ChatIDs = []string{room, other}
	f.finds(q, 0, 1)
	q.ChatIDs = []string{"room"}
	f.finds(q, 3)
	q.ChatIDs = []string{"ROOM-1"}
	f.finds(q)
}

// An empty list of chats must not mean that there is no filter.
func testNoChats(f *fixture) {
	f.say("tea", "coffee")
	for _, chats := range [][]string{nil, {}} {
		for _, q := range []chat.IndexQuery{words("tea"), prefix("t"), phrases("tea"), words(), {SenderIDs: []string{alice}, Limit: 10}} {
			q.ChatIDs = chats
			if found := f.search(q); len(found.Hits) != 0 || found.Total != 0 {
				f.Errorf("search %+v found %v", q, found)
			}
		}
	}
}

func testManyChats(f *fixture) {
	var docs []indexer.Document
	for n := range 30 {
		docs = append(docs, in(fmt.Sprintf("room-%d", n*100), message(n, "tea")))
	}
	f.apply(docs...)
	q := words("tea")
	q.ChatIDs = nil
	for n := range 2000 {
		q.ChatIDs = append(q.ChatIDs, fmt.Sprintf("room-%d", n))
	}
	f.finds(q, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
}

func testSender(f *fixture) {
	f.apply(message(0, "tea"), by(bob, message(1, "tea")), by("bob", message(2, "tea")))
	q := words("tea")
	q.SenderIDs = []string{bob}
	f.finds(q, 1)
	q.SenderIDs = []string{"nobody"}
	f.finds(q)
	q.SenderIDs = []string{"nobody", bob, alice}
	f.finds(q, 0, 1)
}

func testTime(f *fixture) {
	f.say("tea", "tea", "tea", "tea")
	q := words("tea")
	q.Since = start + 1000
	f.finds(q, 1, 2, 3)
	q.Since = start + 1001
	f.finds(q, 2, 3)
	q.Since, q.Until = 0, start+2000
	f.finds(q, 0, 1)
	q.Until = start + 2001
	f.finds(q, 0, 1, 2)
	q.Since = start + 1000
	f.finds(q, 1, 2)
	q.Since, q.Until = start+2000, start+2000
	f.finds(q)
	q.Since, q.Until = start+3000, start+2000
	f.finds(q)
}

func testLinks(f *fixture) {
	linked := message(0, "tea at https://example.org")
	linked.HasLink = true
	f.apply(linked, message(1, "tea at home"))
	q := words("tea")
	f.finds(q, 0, 1)
	q.Links = true
	f.finds(q, 0)
}

func testFilters(f *fixture) {
	linked := by(bob, message(3, "tea http://a.example"))
	linked.HasLink = true
	f.apply(message(0, "tea"), by(bob, message(1, "tea")), by(bob, message(2, "coffee")), linked, in(other, by(bob, message(4, "tea"))))
	q := words("tea")
	q.SenderIDs, q.Since = []string{bob}, start+1000
	f.finds(q, 1, 3)
	q.Until = start + 3000
	f.finds(q, 1)
	q.Until, q.Links = 0, true
	f.finds(q, 3)
	q.ChatIDs = []string{other, room}
	q.Links = false
	f.finds(q, 1, 3, 4)
}

func testFiltersOnly(f *fixture) {
	linked := message(1, "three http://a.example")
	linked.HasLink = true
	f.apply(message(2, "one"), by(bob, message(4, "two")), linked, by(bob, message(0, "four")), in(other, message(3, "five")))
	q := words()
	f.lists(q, 4, 2, 1, 0)
	q.SenderIDs = []string{bob}
	f.lists(q, 4, 0)
	q.SenderIDs, q.Links = nil, true
	f.lists(q, 1)
	q.Links, q.Since, q.Until = false, start+1000, start+3000
	f.lists(q, 2, 1)
	q.Since, q.Until, q.Limit = 0, 0, 2
	f.lists(q, 4, 2)
	q.Limit, q.ChatIDs = 4, []string{other, room}
	f.lists(q, 4, 3, 2, 1)
}

func testNewestFirst(f *fixture) {
	f.apply(message(3, "same words"), message(1, "same words"), message(2, "same words"))
	f.apply(message(5, "same words"), message(4, "same words"))
	f.lists(words("same", "words"), 5, 4, 3, 2, 1)
	f.lists(phrases("same words"), 5, 4, 3, 2, 1)
	f.lists(prefix("same", "wor"), 5, 4, 3, 2, 1)
	q := words("same")
	q.Limit = 2
	f.lists(q, 5, 4)
}

func testTotal(f *fixture) {
	var docs []indexer.Document
	for n := range 30 {
		docs = append(docs, message(n, "tea"))
	}
	f.apply(docs...)
	for _, q := range []chat.IndexQuery{words("tea"), prefix("te"), phrases("tea"), words()} {
		if found := f.search(q); found.Total != 30 || len(found.Hits) != 30 {
			f.Errorf("search %+v: %d hits of %d", q, len(found.Hits), found.Total)
		}
		q.Limit = 1
		if found := f.search(q); found.Total < 2 || len(found.Hits) != 1 {
			f.Errorf("search %+v: %d hits of %d", q, len(found.Hits), found.Total)
		}
	}
}
