package chat

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// maxQuery bounds a query, in bytes.
	maxQuery = 1024
	// maxTerms is how many words and phrases a query is found by. Meilisearch looks
	// at ten words and passes over the rest.
	maxTerms = 10
)

// query is what a person typed, taken apart: terms to find, and filters.
type query struct {
	words, phrases []string
	prefix         bool   // the query ends in a word, which may not be finished
	asked          bool   // there was text, whether or not anything of it can be found
	from, in       string // a username, or "me"; the name of a chat, or @ and a username
	since, until   Time
	links          bool
}

// parseQuery reads words, "phrases" and filters: from:NAME, in:CHAT, before:,
// after: and on:YYYY-MM-DD, has:link. What only looks like a filter (a URL does)
// is a word. Errors: bad_request.
func parseQuery(q string) (query, error) {
	if len(q) > maxQuery {
		return query{}, Errorf(BadRequest, "q must be at most %d bytes", maxQuery)
	}
	if !utf8.ValidString(q) || strings.ContainsRune(q, 0) {
		return query{}, Errorf(BadRequest, "q must be UTF-8 without U+0000")
	}
	var parsed query
	for rest := strings.TrimLeftFunc(q, isBlank); rest != ""; rest = strings.TrimLeftFunc(rest, isBlank) {
		var err error
		if rest, err = parsed.take(rest); err != nil {
			return query{}, err
		}
	}
	return parsed, nil
}

func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// take reads one word, phrase or filter from the start of text.
func (q *query) take(text string) (rest string, err error) {
	if text[0] == '"' {
		phrase, rest := cutQuoted(text)
		q.addPhrase(phrase)
		return rest, nil
	}
	end := strings.IndexFunc(text, isBlank)
	if end < 0 {
		end = len(text)
	}
	name, _, found := strings.Cut(text[:end], ":")
	name = strings.ToLower(name)
	if !found || !isFilter(name) {
		q.addWord(text[:end])
		return text[end:], nil
	}
	value, rest := text[len(name)+1:end], text[end:]
	if strings.HasPrefix(value, `"`) {
		value, rest = cutQuoted(text[len(name)+1:])
	}
	return rest, q.filter(name, value)
}

// cutQuoted takes what stands between the quote at the start of text and the
// next one, or all of it while the second is not yet typed.
func cutQuoted(text string) (quoted, rest string) {
	quoted, rest, _ = strings.Cut(text[1:], `"`)
	return quoted, rest
}

func (q *query) addWord(word string) {
	q.asked = true
	word = strings.Trim(word, `"-+*`)
	q.prefix = isFindable(word)
	if q.prefix && len(q.words)+len(q.phrases) < maxTerms {
		q.words = append(q.words, word)
	} else {
		q.prefix = false
	}
}

func (q *query) addPhrase(phrase string) {
	q.asked, q.prefix = true, false
	phrase = strings.Join(strings.FieldsFunc(phrase, isBlank), " ")
	if isFindable(phrase) && len(q.words)+len(q.phrases) < maxTerms {
		q.phrases = append(q.phrases, phrase)
	}
}

// isFindable says whether there is anything in a term that an index holds.
func isFindable(term string) bool {
	return strings.IndexFunc(term, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.So, r)
	}) >= 0
}

func isFilter(name string) bool {
	switch name {
	case "from", "in", "before", "after", "on", "has":
		return true
	}
	return false
}

func (q *query) filter(name, value string) error {
	switch name {
	case "from":
		return setOnce(&q.from, name, strings.ToLower(strings.TrimPrefix(value, "@")))
	case "in":
		return setOnce(&q.in, name, strings.TrimPrefix(value, "#"))
	case "has":
		if q.links = strings.EqualFold(value, "link"); !q.links {
			return Errorf(BadRequest, "has: knows has:link")
		}
		return nil
	}
	day, err := time.Parse(time.DateOnly, value)
	if err != nil {
		return Errorf(BadRequest, "%s: needs a day, such as %s:2026-01-31", name, name)
	}
	begin, end := TimeOf(day), TimeOf(day.AddDate(0, 0, 1))
	switch name {
	case "before":
		q.bound(0, begin)
	case "after":
		q.bound(end, 0)
	default:
		q.bound(begin, end)
	}
	return nil
}

func setOnce(filter *string, name, value string) error {
	if value == "" {
		return Errorf(BadRequest, "%s: needs a name", name)
	}
	if *filter != "" {
		return Errorf(BadRequest, "%s: can be given once", name)
	}
	*filter = value
	return nil
}

// bound narrows the time that is searched; 0 is no bound.
func (q *query) bound(since, until Time) {
	q.since = max(q.since, since)
	if until != 0 && (q.until == 0 || until < q.until) {
		q.until = until
	}
}

// filtered says whether the query has anything but text.
func (q *query) filtered() bool {
	return q.from != "" || q.in != "" || q.since != 0 || q.until != 0 || q.links
}
