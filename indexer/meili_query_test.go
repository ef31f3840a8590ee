package indexer_test

import (
	"fmt"
	"testing"

	"fechatter/chat"
	"fechatter/indexer"
	"fechatter/indexer/meilitest"
)

// The server's operators are plain text to us, on the fake and on a real server.
func TestMeiliOperators(t *testing.T) {
	t.Parallel()
	server := meilitest.Start(t)
	operators(t, indexer.MeiliConfig{URL: server.URL})
}

func TestMeiliServerOperators(t *testing.T) { operators(t, realMeili(t).own()) }

func operators(t *testing.T, cfg indexer.MeiliConfig) {
	m := openMeili(t, cfg)
	defer m.Close()
	must(t, m.Prepare(t.Context()))
	must(t, m.Apply(t.Context(), documents(
		document("both", "green tea in a cup"), document("tea", "tea alone"), document("green", "green alone"), document("sum", "c++ + tea"),
	)))
	for _, c := range []struct {
		words, phrases []string
		want           string
	}{
		{words: []string{"green", "-tea"}, want: "[both]"},
		{words: []string{"-tea", "green"}, want: "[both]"},
		{words: []string{"green", "－tea"}, want: "[both]"},
		{words: []string{"green", "﹣tea"}, want: "[both]"},
		{words: []string{"green", "(-tea"}, want: "[both]"},
		{words: []string{`"cup`, `tea"`}, want: "[both]"},
		{words: []string{"＂cup", "tea＂"}, want: "[both]"},
		{words: []string{"“cup", "tea”"}, want: "[both]"},
		{words: []string{`cup"tea`}, want: "[both]"},
		{phrases: []string{`green" "alone`}, want: "[green]"},
		{phrases: []string{`-green`, `tea -in`}, want: "[both]"},
		{words: []string{"tea", "+"}, want: "[both sum tea]"},
		{words: []string{"+"}, want: "[]"},
		{words: []string{"*", "-"}, want: "[]"},
		{words: []string{"＋"}, want: "[]"},
		{words: []string{"∞", "×", "\u0301", "\u200d"}, want: "[]"},
		{words: []string{"ｔｅａ", "cup"}, want: "[both]"},
		{words: []string{"gree"}, want: "[]"},
		{words: []string{"filter:tea"}, want: "[]"},
	} {
		q := chat.IndexQuery{Words: c.words, Phrases: c.phrases, ChatIDs: []string{"room"}, Limit: 10}
		if got := names(t, m, q); got != c.want {
			t.Errorf("%q %q: %s, want %s", c.words, c.phrases, got, c.want)
		}
	}
}

func names(t *testing.T, m *indexer.Meili, q chat.IndexQuery) string {
	t.Helper()
	found, err := m.Search(t.Context(), q)
	must(t, err)
	list := map[string]bool{}
	for _, h := range found.Hits {
		list[h.ID] = true
	}
	var sorted []string
	for _, id := range []string{"both", "green", "sum", "tea"} {
		if list[id] {
			sorted = append(sorted, id)
		}
	}
	return fmt.Sprint(sorted)
}

// TestMeiliSigns: C++ finds nothing that only begins with c, as the server sees it.
func TestMeiliSigns(t *testing.T) {
	t.Parallel()
	_, m := prepared(t, indexer.MeiliConfig{})
	must(t, m.Apply(t.Context(), documents(document("sum", "c++ code"), document("tea", "cats"))))
	for word, want := range map[string]string{"C++": "[sum]", "C＋＋": "[sum]", "C#": "[sum]", "C": "[sum tea]"} {
		q := chat.IndexQuery{ChatIDs: []string{"room"}, Limit: 10, Prefix: true, Words: []string{word}}
		if got := names(t, m, q); got != want {
			t.Errorf("%s finds %s, want %s", word, got, want)
		}
	}
}

// Only the first ten words count.
func TestMeiliTenWords(t *testing.T) {
	t.Parallel()
	_, m := prepared(t, indexer.MeiliConfig{})
	must(t, m.Apply(t.Context(), documents(document("tea", "a b c d e f g h i j"))))
	q := chat.IndexQuery{ChatIDs: []string{"room"}, Limit: 10, Prefix: true}
	for _, w := range "abcdefghijk" {
		q.Words = append(q.Words, string(w))
	}
	if got := names(t, m, q); got != "[tea]" {
		t.Errorf("found %s", got)
	}
}
