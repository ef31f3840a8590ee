package indexer_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"fechatter/chat"
	"fechatter/indexer"
	"fechatter/indexer/indextest"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func openBleve(t testing.TB, dir string) *indexer.Bleve {
	t.Helper()
	b, err := indexer.OpenBleve(dir, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBleve(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(t testing.TB) indexer.Index { return openBleve(t, t.TempDir()) })
}

// TestBleveFinds checks what this engine does beyond the common contract.
func TestBleveFinds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("abcdefghij", 1600)
	bodies := []string{
		"今天下午升级数据库", "C++ and Go", "`foo` **bar** ~~baz~~", "thumbs 👍🏽", "🇩🇪 🇫🇷", long, "ｆｕｌｌ　ｗｉｄｔｈ ﾃﾚﾋﾞ", "Straße in Łódź",
		"a soft\u00adhyphen", "snake_case v2.6.3", "thx quikc fox", "1️⃣ first", "мой ёжик", "คุณสบายดีไหม", "bangla বাংলা হিন্দি", "السَّلامُ عليكم",
	}
	b := openBleve(t, t.TempDir())
	defer b.Close()
	for n, body := range bodies {
		apply(t, b, numbered(n, body))
	}
	for _, c := range []struct {
		word   string
		prefix bool
		want   []int
	}{
		{"库", false, []int{0}}, {"据", false, []int{0}}, {"升级数据库", false, []int{0}}, {"级升", false, nil}, {"今午", false, nil},
		{"c++", false, []int{1}}, {"+", false, []int{1}}, {"foo", false, []int{2}}, {"👍", false, []int{3}}, {"👍🏿", false, []int{3}},
		{"🇩🇪", false, []int{4}}, {"🇪🇫", false, nil}, {long, false, []int{5}}, {"abcdefghijabc", true, []int{5}}, {long[:5000], true, []int{5}},
		{"full", false, []int{6}}, {"テレビ", false, []int{6}}, {"strasse", false, []int{7}}, {"lodz", false, []int{7}}, {"softhyphen", false, []int{8}},
		{"case", false, []int{9}}, {"snake_case", false, []int{9}}, {"snake_c", true, []int{9}}, {"v2.6.3", false, []int{9}}, {"6.3", false, []int{9}}, {"6.2", false, nil},
		{"quick", false, []int{10}}, {"quikd", false, []int{10}}, {"xuikc", false, nil}, {"the", false, nil}, {"1", false, []int{11}}, {"мой", false, []int{12}},
		{"ежик", false, []int{12}}, {"สบายดี", false, []int{13}}, {"বাংলা", false, []int{14}}, {"السلام", false, []int{15}}, {"!", false, nil}, {"fo", true, []int{2, 10}},
	} {
		found, err := b.Search(t.Context(), chat.IndexQuery{Words: []string{c.word}, Prefix: c.prefix, ChatIDs: []string{"room"}, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, hit := range found.Hits {
			got = append(got, int(hit.Version))
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%.40q found %v, want %v", c.word, got, c.want)
		}
	}
}

// Exact words come before words with a typo, however new those are.
func TestBleveOrder(t *testing.T) {
	t.Parallel()
	b := openBleve(t, t.TempDir())
	defer b.Close()
	apply(t, b, numbered(1, "release it"), numbered(3, "relaese it"), numbered(2, "release it"))
	apply(t, b, numbered(4, "releases it"))
	same := numbered(2, "release it")
	same.ID, same.Version = "message-000002b", 5
	apply(t, b, same)
	for limit, want := range map[int][]int64{10: {5, 2, 1, 4, 3}, 4: {5, 2, 1, 4}, 3: {5, 2, 1}, 2: {5, 2}} {
		found, err := b.Search(t.Context(), chat.IndexQuery{Words: []string{"release", "it"}, ChatIDs: []string{"room"}, Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, hit := range found.Hits {
			got = append(got, hit.Version)
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %v, want %v", limit, got, want)
		}
		if limit > 2 && found.Total != 5 {
			t.Errorf("limit %d: total %d", limit, found.Total)
		}
	}
}

func TestBleveClosed(t *testing.T) {
	t.Parallel()
	b := openBleve(t, t.TempDir())
	if _, err := b.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.Search(t.Context(), chat.IndexQuery{Words: []string{"tea"}, ChatIDs: []string{"room"}, Limit: 1})
	if chat.CodeOf(err) != chat.Unavailable {
		t.Errorf("search: %v", err)
	}
	if err := b.Apply(t.Context(), indexer.Batch{Deleted: []string{"x"}}); err == nil {
		t.Error("applied")
	}
}
