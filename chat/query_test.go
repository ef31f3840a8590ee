package chat

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func day(t *testing.T, s string) Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return TimeOf(d)
}

func TestParseQuery(t *testing.T) {
	for q, want := range map[string]query{
		"":                          {},
		"  \t\n":                    {},
		"hello":                     {words: []string{"hello"}, prefix: true, asked: true},
		"hello  big world":          {words: []string{"hello", "big", "world"}, prefix: true, asked: true},
		`"quoted phrase"`:           {phrases: []string{"quoted phrase"}, asked: true},
		`a "b  c" d`:                {words: []string{"a", "d"}, phrases: []string{"b c"}, prefix: true, asked: true},
		`d "not yet clo`:            {words: []string{"d"}, phrases: []string{"not yet clo"}, asked: true},
		"部署 Docker":                 {words: []string{"部署", "Docker"}, prefix: true, asked: true},
		"🎉":                         {words: []string{"🎉"}, prefix: true, asked: true},
		"https://example.org/a?b=c": {words: []string{"https://example.org/a?b=c"}, prefix: true, asked: true},
		"@alice":                    {words: []string{"@alice"}, prefix: true, asked: true},
		"*** ?? ( )":                {asked: true},
		"word ***":                  {words: []string{"word"}, asked: true},
		"-minus":                    {words: []string{"minus"}, prefix: true, asked: true},
		"a\x01b":                    {words: []string{"a", "b"}, prefix: true, asked: true},
		"from:alice":                {from: "alice"},
		"From:@Alice x":             {from: "alice", words: []string{"x"}, prefix: true, asked: true},
		"in:#general":               {in: "general"},
		`in:"two words" x`:          {in: "two words", words: []string{"x"}, prefix: true, asked: true},
		"in:@bob":                   {in: "@bob"},
		"has:link":                  {links: true},
		"before:2026-01-31":         {until: day(t, "2026-01-31")},
		"after:2026-01-31":          {since: day(t, "2026-02-01")},
		"on:2026-01-31":             {since: day(t, "2026-01-31"), until: day(t, "2026-02-01")},
		"after:2026-01-01 before:2026-03-01 before:2026-02-01": {since: day(t, "2026-01-02"), until: day(t, "2026-02-01")},
	} {
		got, err := parseQuery(q)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v, want %+v", q, got, err, want)
		}
	}
}

func TestParseQueryRefuses(t *testing.T) {
	for _, q := range []string{"before:yesterday", "on:2026-13-01", "from:", "from:a from:b", "in:", `in:""`, "has:cheese", "a\x00b", "\xff",
		strings.Repeat("x", maxQuery+1)} {
		if _, err := parseQuery(q); CodeOf(err) != BadRequest {
			t.Errorf("%.20q: %v", q, err)
		}
	}
	long, err := parseQuery(strings.Repeat("w ", 100))
	if err != nil || len(long.words) != maxTerms || long.prefix {
		t.Errorf("many words: %+v, %v", long, err)
	}
}

func TestHighlightShowsAPart(t *testing.T) {
	body := strings.Repeat("字", 500) + "here" + strings.Repeat("x", 500)
	at := strings.Index(body, "here")
	got := Highlight(body, []Mark{{at, at + 4}})
	want := "…" + strings.Repeat("字", highlightBefore) + "<mark>here</mark>" + strings.Repeat("x", highlightLength-highlightBefore-4) + "…"
	if got != want {
		t.Errorf("got %s", got)
	}
	if got := Highlight("the end here", []Mark{{8, 12}}); got != "the end <mark>here</mark>" {
		t.Errorf("a short body: %s", got)
	}
	// Whatever an index says of a body, nothing but marks becomes markup.
	for _, marks := range [][]Mark{{{-1, 2}}, {{1, 2}}, {{0, 99}}, {{2, 1}}, {{3, 6}, {0, 3}}, {{0, 3}, {0, 3}}} {
		got := Highlight("字<b", marks)
		plain := strings.NewReplacer("<mark>", "", "</mark>", "").Replace(got)
		if plain != "字&lt;b" {
			t.Errorf("%v: %s", marks, got)
		}
	}
}

func TestHasLink(t *testing.T) {
	for body, want := range map[string]bool{"see https://a.example": true, "http://x": true, "https:// no": false, "http://": false, "write http:// and then http://x": true, "Https://a.example": true, "ftp://x": false, "": false} {
		if HasLink(body) != want {
			t.Errorf("%q: %v", body, !want)
		}
	}
}
