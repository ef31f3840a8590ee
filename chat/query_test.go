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
		"+plus C++":                 {words: []string{"plus", "C++"}, prefix: true, asked: true},
		"C# .NET -C*":               {words: []string{"C#", ".NET", "C"}, prefix: true, asked: true},
		"“exact  phrase”":           {phrases: []string{"exact phrase"}, asked: true},
		"„genau so“ x":              {words: []string{"x"}, phrases: []string{"genau so"}, prefix: true, asked: true},
		"”exakt så”":                {phrases: []string{"exakt så"}, asked: true},
		"«mot à mot»":               {phrases: []string{"mot à mot"}, asked: true},
		"»genau so«":                {phrases: []string{"genau so"}, asked: true},
		"‹exact phrase› ❝or so❞":    {phrases: []string{"exact phrase", "or so"}, asked: true},
		"「正確な 言葉」":                  {phrases: []string{"正確な 言葉"}, asked: true},
		"《红 楼梦》 〈第一 回〉":             {phrases: []string{"红 楼梦", "第一 回"}, asked: true},
		"‘exact phrase’ x":          {words: []string{"x"}, phrases: []string{"exact phrase"}, prefix: true, asked: true},
		"‚genau so‘":                {phrases: []string{"genau so"}, asked: true},
		"‘don’t panic’":             {phrases: []string{"don’t panic"}, asked: true},
		"from:‘Alice Müller’":       {from: "Alice Müller"},
		"‘til tomorrow":             {words: []string{"‘til", "tomorrow"}, prefix: true, asked: true},
		"‘til O’Brien":              {words: []string{"‘til", "O’Brien"}, prefix: true, asked: true},
		"O’Brien’s 'tis":            {words: []string{"O’Brien’s", "'tis"}, prefix: true, asked: true},
		"‘’ x":                      {words: []string{"x"}, prefix: true, asked: true},
		"＂two words＂":               {phrases: []string{"two words"}, asked: true},
		"“mixed\" “not yet clo":     {phrases: []string{"mixed", "not yet clo"}, asked: true},
		"“word” “":                  {phrases: []string{"word"}, asked: true},
		"a\x01b":                    {words: []string{"a", "b"}, prefix: true, asked: true},
		"from:alice":                {from: "alice"},
		`from:"Alice Müller"`:       {from: "Alice Müller"},
		"from:“Alice Müller” x":     {from: "Alice Müller", words: []string{"x"}, prefix: true, asked: true},
		"from: name":                {words: []string{"from:", "name"}, prefix: true, asked: true},
		"log in: please":            {words: []string{"log", "in:", "please"}, prefix: true, asked: true},
		"from:a from:b":             {from: "a", words: []string{"from:b"}, prefix: true, asked: true},
		`in:"" x`:                   {words: []string{"in:", "x"}, prefix: true, asked: true},
		"from:@ in:#":               {words: []string{"from:@", "in:#"}, prefix: true, asked: true},
		"before:yesterday":          {words: []string{"before:yesterday"}, prefix: true, asked: true},
		"on:2026-13-01 after:party": {words: []string{"on:2026-13-01", "after:party"}, prefix: true, asked: true},
		"has:cheese":                {words: []string{"has:cheese"}, prefix: true, asked: true},
		"has: link":                 {words: []string{"has:", "link"}, prefix: true, asked: true},
		"note: on: fire":            {words: []string{"note:", "on:", "fire"}, prefix: true, asked: true},
		`{"key":"a b"}`:             {words: []string{`{"key":`}, phrases: []string{"a b"}, asked: true},
		`msg:"a b"`:                 {words: []string{"msg:"}, phrases: []string{"a b"}, asked: true},
		"From:@Alice x":             {from: "@Alice", words: []string{"x"}, prefix: true, asked: true},
		"in:#general":               {in: "#general"},
		`in:"two words" x`:          {in: "two words", words: []string{"x"}, prefix: true, asked: true},
		"in:@bob":                   {in: "@bob"},
		"has:link":                  {links: true},
		"before:2026-01-31":         {until: day(t, "2026-01-31"), days: true},
		"after:2026-01-31":          {since: day(t, "2026-02-01"), days: true},
		"on:2026-01-31":             {since: day(t, "2026-01-31"), until: day(t, "2026-02-01"), days: true},
		"after:2026-01-01 before:2026-03-01 before:2026-02-01": {since: day(t, "2026-01-02"), until: day(t, "2026-02-01"), days: true},
	} {
		got, err := parseQuery(q, time.UTC)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v, want %+v", q, got, err, want)
		}
	}
}

func TestParseQueryRefuses(t *testing.T) {
	for _, q := range []string{"a\x00b", "\xff",
		strings.Repeat("x", maxQuery+1)} {
		if _, err := parseQuery(q, time.UTC); CodeOf(err) != BadRequest {
			t.Errorf("%.20q: %v", q, err)
		}
	}
	long, err := parseQuery(strings.Repeat("w ", 100), time.UTC)
	if err != nil || len(long.words) != maxTerms || long.prefix {
		t.Errorf("many words: %+v, %v", long, err)
	}
}

// TestDaysOfAZone: a day begins where the caller lives, also where its midnight is left
// out, comes twice, or the day itself never was.
func TestDaysOfAZone(t *testing.T) {
	for _, c := range []struct{ q, zone, since, until string }{
		{"on:2026-01-31", "UTC", "2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"},
		{"on:2026-01-31", "Asia/Shanghai", "2026-01-30T16:00:00Z", "2026-01-31T16:00:00Z"},
		{"on:2026-07-01", "America/Los_Angeles", "2026-07-01T07:00:00Z", "2026-07-02T07:00:00Z"},
		{"on:2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"}, // 23 hours
		{"on:2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"}, // 25 hours
		{"on:2026-01-01", "Pacific/Kiritimati", "2025-12-31T10:00:00Z", "2026-01-01T10:00:00Z"},
		{"on:2026-01-01", "Asia/Kathmandu", "2025-12-31T18:15:00Z", "2026-01-01T18:15:00Z"},
		{"on:2024-09-08", "America/Santiago", "2024-09-08T04:00:00Z", "2024-09-09T03:00:00Z"}, // begins at 1:00
		{"on:2025-11-02", "America/Havana", "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z"},   // 0:00 comes twice
		{"on:2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},     // was left out
		{"after:2026-01-31", "Asia/Tokyo", "2026-01-31T15:00:00Z", ""},
		{"before:2026-01-31", "Asia/Tokyo", "", "2026-01-30T15:00:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseQuery(c.q, zone)
		if err != nil || shown(got.since) != c.since || shown(got.until) != c.until {
			t.Errorf("%s in %s: from %s until %s, want %s and %s (%v)", c.q, c.zone, shown(got.since), shown(got.until), c.since, c.until, err)
		}
	}
}

// shown returns a bound, "" if there is none.
func shown(bound Time) string {
	if bound == 0 {
		return ""
	}
	return bound.Time().UTC().Format(time.RFC3339)
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
	// Whatever an index says about a body, nothing but marks becomes markup.
	for _, marks := range [][]Mark{{{-1, 2}}, {{1, 2}}, {{0, 99}}, {{2, 1}}, {{3, 6}, {0, 3}}, {{0, 3}, {0, 3}}} {
		got := Highlight("字<b", marks)
		plain := strings.NewReplacer("<mark>", "", "</mark>", "").Replace(got)
		if plain != "字&lt;b" {
			t.Errorf("%v: %s", marks, got)
		}
	}
}

func TestHasLink(t *testing.T) {
	for body, want := range map[string]bool{
		"see https://a.example": true, "http://x": true, "https:// no": false, "http://": false,
		"write http:// and then http://x": true, "Https://a.example": true, "ftp://x": false, "": false,
	} {
		if HasLink(body) != want {
			t.Errorf("%q: %v", body, !want)
		}
	}
}
