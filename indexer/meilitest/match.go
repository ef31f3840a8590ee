package meilitest

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// token is a word of a text, folded, and where it stands in it, in bytes.
type token struct {
	word       string
	start, end int
}

// span is a match as Meilisearch shows it.
type span struct {
	Start  int `json:"start"`
	Length int `json:"length"`
}

// tokens cuts a text into words: letters and digits that stand together, and by
// itself every character of a script without spaces and every symbol.
func tokens(text string) []token {
	var list []token
	open := false // the last token may grow
	for start, r := range text {
		end := start + utf8.RuneLen(r)
		switch {
		case r == utf8.RuneError:
			open = false
		case unicode.IsMark(r) && len(list) > 0 && list[len(list)-1].end == start:
			list[len(list)-1].end = end
		case alone(r):
			list, open = append(list, token{start: start, end: end}), false
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			if !open {
				list = append(list, token{start: start})
			}
			list[len(list)-1].end, open = end, true
		default:
			open = false
		}
	}
	for i, t := range list {
		list[i].word = fold(text[t.start:t.end])
	}
	return list
}

func alone(r rune) bool {
	return r > unicode.MaxLatin1 && unicode.IsSymbol(r) || r == 'ー' ||
		unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}

// fold takes case and diacritics away.
func fold(word string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(word)))
}

func folded(text string) []string {
	var words []string
	for _, t := range tokens(text) {
		words = append(words, t.word)
	}
	return words
}

// match finds the terms in a text: where, and with how many typos in all.
func (q query) match(body []token, typos bool) ([]span, int, bool) {
	for _, t := range q.excluded {
		if spans, _ := t.find(body, false); spans != nil {
			return nil, 0, false
		}
	}
	var all []span
	total := 0
	for _, t := range q.terms {
		spans, wrong := t.find(body, typos && !t.exact)
		if spans == nil {
			return nil, 0, false
		}
		all = append(all, spans...)
		total += wrong
	}
	return all, total, true
}

// find gives every place of a term, nil when there is none, and the typos of the
// best.
func (t term) find(body []token, typos bool) ([]span, int) {
	var spans []span
	best := -1
	for at := range len(body) - len(t.tokens) + 1 {
		wrong, ok := t.at(body[at:], typos)
		if !ok {
			continue
		}
		for i := range t.tokens {
			spans = append(spans, span{body[at+i].start, body[at+i].end - body[at+i].start})
		}
		if best < 0 || wrong < best {
			best = wrong
		}
	}
	return spans, best
}

func (t term) at(body []token, typos bool) (int, bool) {
	total := 0
	for i, word := range t.tokens {
		allowed := 0
		if typos {
			allowed = tolerance(word)
		}
		wrong := distance(word, body[i].word, t.prefix && i == len(t.tokens)-1, allowed)
		if wrong > allowed {
			return 0, false
		}
		total += wrong
	}
	return total, true
}
