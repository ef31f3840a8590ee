package indexer

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"fechatter/chat"

	"golang.org/x/text/unicode/norm"
)

// meiliTerms is how many words and phrases of a query the server looks at.
const meiliTerms = 10

// meiliText is the text of a query in the server's language, in which "…" is a
// phrase and a leading - excludes: neither is left in what people wrote. The last
// word is the beginning of one unless something follows it. It is "" when the
// server would see no word in it and so find everything.
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
	prefix := len(q.Words) > 0 && (q.Prefix || runsOn(terms[len(terms)-1]))
	if len(terms) > meiliTerms {
		terms, prefix = terms[:meiliTerms], false
	}
	text := strings.Join(terms, " ")
	if !prefix {
		text += " "
	}
	return text
}

// runsOn says that nothing need separate the word from what follows: there are no
// spaces between the words of Chinese, Japanese and Thai, nor between emoji, and
// Korean particles cling to their noun. Its whole word may be the beginning of what
// the server took for one.
func runsOn(word string) bool {
	last, _ := utf8.DecodeLastRuneInString(word)
	return unicode.In(last, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai,
		unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.S) || last == 'ー'
}

// meiliPlain leaves letters, digits, marks and symbols, with one space for
// whatever was between them: punctuation and mathematics separate words in the
// server's eyes, too. Wide and small forms are made plain first, as the server does
// before it looks for quotes and hyphens. It is "" when there is nothing that the
// server takes for a word.
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

// meiliFilter confines a search, each part to be met. It is false where nothing
// can be found. A filter comes from values that meiliID lets pass and from
// numbers; an empty one would be none at all.
func meiliFilter(q chat.IndexQuery) ([]string, bool) {
	var chats []string
	for _, id := range q.ChatIDs {
		if meiliID(id) {
			chats = append(chats, id)
		}
	}
	if len(chats) == 0 || q.SenderID != "" && !meiliID(q.SenderID) {
		return nil, false
	}
	filter := []string{`chat_id IN ["` + strings.Join(chats, `","`) + `"]`}
	if q.SenderID != "" {
		filter = append(filter, `sender_id = "`+q.SenderID+`"`)
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

// meiliID says whether an id can be part of a filter, and of a document's key:
// nothing in it means anything to the server. No capitals, because the server
// compares without regard to them; a UUID of ours has none.
func meiliID(id string) bool {
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return len(id) >= 1 && len(id) <= 64
}
