package indexer

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"fechatter/chat"

	"golang.org/x/text/unicode/norm"
)

// meiliTerms is how many words and phrases of a query the server considers.
const meiliTerms = 10

// meiliText returns the text of a query in the server's syntax, in which "…" is a
// phrase and a leading - excludes; neither is left in what people wrote. The last
// word may be the beginning of one unless something follows it. The result is "" if
// the server would see no word in it and so find everything.
func meiliText(q chat.IndexQuery) string {
	var terms []string
	for _, p := range q.Phrases {
		if plain := meiliPlain(p); plain != "" {
			terms = append(terms, `"`+plain+`"`)
		}
	}
	for _, w := range q.Words {
		if plain := meiliPlain(w); plain != "" {
			terms = append(terms, plain)
		}
	}
	if len(terms) == 0 {
		return ""
	}
	prefix := len(q.Words) > 0 && (q.Prefix && !signed(q.Words[len(q.Words)-1]) || runsOn(terms[len(terms)-1]))
	if len(terms) > meiliTerms {
		terms, prefix = terms[:meiliTerms], false
	}
	text := strings.Join(terms, " ")
	if !prefix {
		text += " "
	}
	return text
}

// signed reports whether a word ends with a sign of its name, as C++ does: the server
// sees only the C, which must not find everything that begins with it.
func signed(word string) bool {
	last, _ := utf8.DecodeLastRuneInString(word)
	sign, _ := signOf(string(last))
	return sign != ""
}

// runsOn reports whether the word may run into the next one: there are no spaces
// between the words of Chinese, Japanese and Thai, nor between emoji, and Korean
// particles are attached to their noun. A whole word may then be the beginning of
// what the server considers one.
func runsOn(word string) bool {
	last, _ := utf8.DecodeLastRuneInString(word)
	return unicode.In(last, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai,
		unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.S) || last == 'ー'
}

// meiliPlain keeps letters, digits, marks and symbols, with one space for whatever
// was between them: punctuation and mathematical symbols separate words for the
// server, too. Wide and small forms are normalized first, as the server does before
// it looks for quotes and hyphens. The result is "" if the server would see no word.
func meiliPlain(text string) string {
	word := false
	words := strings.FieldsFunc(norm.NFKC.String(text), func(r rune) bool {
		keeps := meiliKeeps(r)
		word = word || keeps && unicode.In(r, unicode.L, unicode.N, unicode.Sc, unicode.So)
		return !keeps
	})
	if !word {
		return ""
	}
	return strings.Join(words, " ")
}

func meiliKeeps(r rune) bool {
	if r < unicode.MaxASCII {
		return unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	return r != unicode.ReplacementChar &&
		unicode.In(r, unicode.L, unicode.N, unicode.M, unicode.Sc, unicode.Sk, unicode.So, unicode.Cf)
}

// meiliFilter returns conditions that must all be met; it returns false if nothing
// can meet them. They contain only numbers and values that pass meiliID. An empty
// filter would be no filter at all.
func meiliFilter(q chat.IndexQuery) ([]string, bool) {
	chats, senders := meiliAnyOf("chat_id", q.ChatIDs), meiliAnyOf("sender_id", q.SenderIDs)
	if chats == "" || senders == "" && len(q.SenderIDs) > 0 {
		return nil, false
	}
	filter := []string{chats}
	if senders != "" {
		filter = append(filter, senders)
	}
	if q.Since != 0 {
		filter = append(filter, "created_at >= "+strconv.FormatInt(int64(q.Since), 10))
	}
	if q.Until != 0 {
		filter = append(filter, "created_at < "+strconv.FormatInt(int64(q.Until), 10))
	}
	if q.Links {
		filter = append(filter, "has_link = true")
	}
	return filter, true
}

// meiliAnyOf returns the condition that a field is one of the ids; it is "" if none of
// them can be an id.
func meiliAnyOf(field string, ids []string) string {
	var some []string
	for _, id := range ids {
		if meiliID(id) {
			some = append(some, id)
		}
	}
	if len(some) == 0 {
		return ""
	}
	return field + ` IN ["` + strings.Join(some, `","`) + `"]`
}

// meiliID reports whether an id can be part of a filter and the key of a document:
// nothing in it has a meaning to the server. Capitals are excluded because the
// server ignores case; our UUIDs have none.
func meiliID(id string) bool {
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return len(id) >= 1 && len(id) <= 64
}
