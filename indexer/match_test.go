package indexer

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"fechatter/chat"

	"pgregory.net/rapid"
)

// A search finds exactly the texts that match one by one, for any query.
func TestBleveFindsWhatMatches(t *testing.T) {
	t.Parallel()
	text := rapid.StringOfN(rapid.RuneFrom([]rune("aaabbév12  数据库 🎉++.#")), 1, 14, -1)
	long := rapid.SampledFrom([]string{"server", "servers", "sevrer", "服务器", "ab", "abc", "a", "数", "🎉", "C++", "c#", ".NET", "v1.2", "1.2", "a+", "b#"})
	word := rapid.OneOf(text, long)
	b, err := OpenBleve(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	room := 0
	rapid.Check(t, func(r *rapid.T) {
		bodies := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) string {
			return strings.Join(rapid.SliceOfN(word, 1, 4).Draw(r, "words"), " ")
		}), 1, 12).Draw(r, "bodies")
		room++
		chatID := fmt.Sprint(room)
		var batch Batch
		for n, body := range bodies {
			batch.Documents = append(batch.Documents, Document{ID: fmt.Sprint(room, n), ChatID: chatID, Body: body, Version: int64(n)})
		}
		if err := b.Apply(t.Context(), batch); err != nil {
			r.Fatal(err)
		}
		for range 10 {
			q := chat.IndexQuery{ChatIDs: []string{chatID}, Limit: 100, Prefix: rapid.Bool().Draw(r, "prefix")}
			q.Words = rapid.SliceOfN(word, 0, 3).Draw(r, "words")
			q.Phrases = rapid.SliceOfN(text, 0, 1).Draw(r, "phrases")
			findsWhatMatches(r, b, q, bodies)
		}
	})
}

func findsWhatMatches(r *rapid.T, b *Bleve, q chat.IndexQuery, bodies []string) {
	p, err := b.plan(q)
	if err != nil {
		r.Fatal(err)
	}
	var want []int64
	for n, body := range bodies {
		if _, ok := match(p.patterns, body); ok && !p.nothing {
			want = append(want, int64(n))
		}
	}
	found, err := b.Search(r.Context(), q)
	if err != nil {
		r.Fatal(err)
	}
	var got []int64
	for _, hit := range found.Hits {
		got = append(got, hit.Version)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || found.Total != len(want) {
		r.Fatalf("%+v found %v of %d, want %v", q, got, found.Total, want)
	}
}

// Unindexed messages match just as indexed ones.
func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, body, want string }{
		{"hello", "say Hello, world", "say <mark>Hello</mark>, world"},
		{"wor", "say Hello, world", "say Hello, <mark>world</mark>"},
		{"hello wor", "World? hello!", "<mark>World</mark>? <mark>hello</mark>!"},
		{"hell o", "hello", ""},
		{"orld", "world", ""},
		{"helol", "hello", "<mark>hello</mark>"},
		{"cafe", "au Café", "au <mark>Café</mark>"},
		{"strasse", "Große Straße", "Große <mark>Straße</mark>"},
		{"abc", "ＡＢＣ", "<mark>ＡＢＣ</mark>"},
		{"müller", "Herr MÜLLER kommt", "Herr <mark>MÜLLER</mark> kommt"},
		{`"big world"`, "the big world is a bigworld", "the <mark>big</mark> <mark>world</mark> is a bigworld"},
		{`"big world"`, "world, big", ""},
		{"部署", "今天部署完成", "今天<mark>部署</mark>完成"},
		{"署 完", "今天部署完成", "今天部<mark>署完</mark>成"},
		{"docker", "升级Docker后", "升级<mark>Docker</mark>后"},
		{"한국", "한국어", "<mark>한국</mark>어"},
		{"🎉", "done 🎉🎉", "done <mark>🎉🎉</mark>"},
		{"example.org", "see https://example.org/docs", "see https://<mark>example</mark>.<mark>org</mark>/docs"},
		{"alice", "hi @alice!", "hi @<mark>alice</mark>!"},
		{"b", "a <b>&amp;</b>", "a &lt;<mark>b</mark>&gt;&amp;amp;&lt;/<mark>b</mark>&gt;"},
		{"...", "...", ""},
		{"C++", "I like C++, not cats", "I like <mark>C++</mark>, not cats"},
		{"c++", "(C++17) and C++.", "(<mark>C++</mark>17) and <mark>C++</mark>."},
		{"c++17", "C++17, C 17", "<mark>C++17</mark>, C 17"},
		{"C++", "cats, C, C+ and 1 + 1", ""},
		{"C+", "C++ or cats", "<mark>C++</mark> or cats"},
		{"C++ c", "C++ and cats", "<mark>C++</mark> and <mark>cats</mark>"},
		{"C＋＋", "C++", "<mark>C++</mark>"},
		{"notepad++", "Notepad++ or notepad", "<mark>Notepad++</mark> or notepad"},
		{"notepad++", "notepads", ""},
		{"C#", "C# or C", "<mark>C#</mark> or C"},
		{"C#", "C, C++, cats", ""},
		{"f#", "F#-based", "<mark>F#</mark>-based"},
		{"c", "C#", "<mark>C</mark>#"},
		{".NET", "the .NET network", "the <mark>.NET</mark> network"},
		{".NET", "network, net, NET.", ""},
		{".ne", ".NET 8", "<mark>.NET</mark> 8"},
		{".net", "ASP.NET, wait...net", "ASP<mark>.NET</mark>, wait...net"},
		{"asp.net", "ASP.NET", "<mark>ASP</mark>.<mark>NET</mark>"},
		{".bashrc", "edit ~/.bashrc", "edit ~/<mark>.bashrc</mark>"},
		{"...and", "so and so", "so <mark>and</mark> so"},
		{"node.js", "Node.js", "<mark>Node</mark>.<mark>js</mark>"},
		{"ctrl+k", "press Ctrl+K", "press <mark>Ctrl+K</mark>"},
		{"ctrl+", "press Ctrl+K", "press <mark>Ctrl+</mark>K"},
		{"a+b", "a + b", "<mark>a</mark> <mark>+</mark> <mark>b</mark>"},
		{"page#top", "page top", "<mark>page</mark> <mark>top</mark>"},
		{"1.2.3", "release v1.2.3, not v1.2.4", "release <mark>v1</mark>.<mark>2</mark>.<mark>3</mark>, not v1.2.4"},
		{"v1.2.3", "release 1.2.3", "release <mark>1</mark>.<mark>2</mark>.<mark>3</mark>"},
		{"v1.2.3", "V1.2.3", "<mark>V1</mark>.<mark>2</mark>.<mark>3</mark>"},
		{"v1.2", "v1.2.3 and v2.2", "<mark>v1</mark>.<mark>2</mark>.3 and v2.2"},
		{"v1", "v1.2.3", "<mark>v1</mark>.2.3"},
		{"v1", "1.2.3", ""},
		{"3.11", "python3.11", "<mark>python3</mark>.<mark>11</mark>"},
		{"1.2.3", "11.2.3, 1.2.4, mp1", ""},
		{"محمد", "قال مـحـمـد", "قال <mark>مـحـمـد</mark>"},
		{"مـحـمـد", "محمد", "<mark>محمد</mark>"},
		{"ـ", "ـــ", ""},
		{"کتاب", "كتاب و کتاب", "<mark>كتاب</mark> و <mark>کتاب</mark>"},
		{"علی", "علي، على، علی", "<mark>علي</mark>، <mark>على</mark>، <mark>علی</mark>"},
		{"احمد", "أحمد", "<mark>أحمد</mark>"},
		{"مدرسه", "مدرسة", "<mark>مدرسة</mark>"},
		{"میخواهم", "می\u200cخواهم", "<mark>می\u200cخواهم</mark>"},
		{"123", "١٢٣ ۱۲۳ १२३ ๑๒๓", "<mark>١٢٣</mark> <mark>۱۲۳</mark> <mark>१२३</mark> <mark>๑๒๓</mark>"},
		{"١٢٣", "room 123", "room <mark>123</mark>"},
		{"ab", "", ""},
	} {
		q := chat.IndexQuery{Words: strings.Fields(c.query), Prefix: true}
		if strings.HasPrefix(c.query, `"`) {
			q = chat.IndexQuery{Phrases: []string{strings.Trim(c.query, `"`)}}
		}
		got := ""
		if marks, ok := new(Indexer).Match(q)(c.body); ok {
			got = chat.Highlight(c.body, marks)
		}
		if got != c.want {
			t.Errorf("%s in %s: got %q, want %q", c.query, c.body, got, c.want)
		}
	}
}

func TestNearly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"server", "server", true}, {"server", "servers", true}, {"server", "erver", false}, {"server", "sorver", true}, {"server", "esrver", false},
		{"server", "servre", true}, {"server", "xserver", false}, {"server", "rserve", false}, {"server", "serv", false}, {"server", "sarvor", false},
		{"größe", "grüße", true}, {"größe", "grße", true}, {"größe", "gröẞe", true}, {"", "a", false}, {"", "", true}, {"a", "b", false}, {"ab", "ba", false},
	} {
		if nearly(c.a, c.b) != c.want || nearly(c.b, c.a) != c.want {
			t.Errorf("%s and %s: want %v", c.a, c.b, c.want)
		}
	}
}

// In any body, the units are in order and cut between characters, and each of them
// is found.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{"", "a", "Quick brown", "升级Docker", "e\u0301\u0301\u0301", "\xff\xfe", "👩‍👩‍👧🇩🇪", "\u0301", "ﷺ ㍿ ½", "각가", "ｶﾞ", strings.Repeat("\u0301", 100), "C++17 .NET v1.2.3 a+b", "مـحـمـد ـ", "๑๒"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		end := 0
		for _, u := range scan(body) {
			if u.start < end || u.end <= u.start || u.end > len(body) || len(u.text) == 0 || u.kind == word && len(u.text) > maxTerm {
				t.Fatalf("%q: %+v", body, u)
			}
			if utf8.ValidString(body) && !utf8.ValidString(body[u.start:u.end]) {
				t.Fatalf("%q: %+v cuts a character", body, u)
			}
			end = u.end
			if _, ok := match([]pattern{{units: []unit{u}}}, body); !ok {
				t.Fatalf("%q: %+v is not found", body, u)
			}
		}
	})
}
