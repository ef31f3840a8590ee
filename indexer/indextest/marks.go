package indextest

import (
	"strings"
	"unicode/utf8"

	"fechatter/chat"
)

// marked searches for one message and returns the marked parts of its body. The marks
// must be in order, apart, and cut between characters.
func (f *fixture) marked(q chat.IndexQuery, body string) []string {
	f.Helper()
	found := f.search(q)
	if len(found.Hits) != 1 {
		f.Fatalf("search %+v found %v", brief(q), ids(found))
	}
	var parts []string
	end := -1
	for _, m := range found.Hits[0].Marks {
		if m.Start <= end || m.End <= m.Start || m.End > len(body) {
			f.Fatalf("search %+v: marks %v of %d bytes", brief(q), found.Hits[0].Marks, len(body))
		}
		if !utf8.ValidString(body[:m.Start]) || !utf8.ValidString(body[m.Start:m.End]) {
			f.Fatalf("search %+v: mark %v cuts a character of %q", brief(q), m, body)
		}
		parts = append(parts, body[m.Start:m.End])
		end = m.End
	}
	return parts
}

// marks requires that certain parts are marked. Of a word found by its beginning,
// that beginning must be marked and the rest may be.
func (f *fixture) marks(q chat.IndexQuery, body string, want ...string) {
	f.Helper()
	got := f.marked(q, body)
	if len(got) != len(want) {
		f.Errorf("search %+v marked %q, want %q", brief(q), got, want)
		return
	}
	for i := range want {
		if got[i] != want[i] && (!q.Prefix || !strings.HasPrefix(got[i], want[i])) {
			f.Errorf("search %+v marked %q, want %q", brief(q), got, want)
		}
	}
}

func testMarks(f *fixture) {
	bodies := []string{
		"Quick: the quick brown fox", "un café, s'il vous plaît", "今天升级数据库", "hooray 🎉 done",
		"İstanbul'da kahve", "kubernetes restarts", "see https://example.org/docs", "Ask @alice",
	}
	f.say(bodies...)
	f.marks(words("quick"), bodies[0], "Quick", "quick")
	f.marks(words("brown", "quick"), bodies[0], "Quick", "quick", "brown")
	f.marks(words("cafe"), bodies[1], "café")
	f.marks(words("plait"), bodies[1], "plaît")
	f.marks(words("数据库"), bodies[2], "数据库")
	f.marks(words("🎉"), bodies[3], "🎉")
	f.marks(words("kahve"), bodies[4], "kahve")
	f.marks(words("kubernetas"), bodies[5], "kubernetes")
	f.marks(prefix("rest"), bodies[5], "rest")
	f.marks(words("docs"), bodies[6], "docs")
	f.marks(words("alice"), bodies[7], "alice")
	none := words()
	none.Since = start
	for _, hit := range f.search(none).Hits {
		if len(hit.Marks) != 0 {
			f.Errorf("a query without text marked %v", hit.Marks)
		}
	}
}

// What is between the words of a phrase may be marked too.
func testPhraseMarks(f *fixture) {
	body := "is the release ready? yes, the release is ready"
	f.say(body)
	got := strings.Join(f.marked(phrases("release is ready"), body), " ")
	if got != "release is ready" {
		f.Errorf("marked %q", got)
	}
}

func testMarksApart(f *fixture) {
	body := "数据库数据库，用数据库 und Überraschung über Überraschungen"
	f.say(body)
	if got := strings.Join(f.marked(words("数据库"), body), ""); got != "数据库数据库数据库" {
		f.Errorf("marked %q", got)
	}
	f.marks(words("数据库", "uberraschung"), body, f.marked(words("数据库", "uberraschung"), body)...)
	f.marked(prefix("数据库", "über"), body)
}
