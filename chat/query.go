package chat

import (
	"sort"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// maxQuery bounds a query, in bytes.
	maxQuery = 1024
	// maxTerms is how many words and phrases of a query are searched for.
	// Meilisearch looks at ten words and ignores the rest.
	maxTerms = 10
)

// query is what a person typed, parsed into terms to find and filters.
type query struct {
	words, phrases []string
	prefix         bool   // the query ends in a word, which may not be finished
	asked          bool   // there was text, whether or not any of it can be found
	from, in       string // the name of a user or "me"; the name of a chat, or @ and that of a user
	since, until   Time
	days           bool // a filter counted days
	links          bool
}

// parseQuery reads words, "phrases" and filters: from:NAME, in:CHAT, before:,
// after: and on:YYYY-MM-DD, days of zone, has:link. What cannot be a filter is text:
// people paste what has colons. Errors: bad_request, also for days without a zone.
func parseQuery(q string, zone *time.Location) (query, error) {
	if len(q) > maxQuery {
		return query{}, Errorf(BadRequest, "q must be at most %d bytes", maxQuery)
	}
	if !utf8.ValidString(q) || strings.ContainsRune(q, 0) {
		return query{}, Errorf(BadRequest, "q must be UTF-8 without U+0000")
	}
	var parsed query
	for rest := strings.TrimLeftFunc(q, isBlank); rest != ""; rest = strings.TrimLeftFunc(rest, isBlank) {
		rest = parsed.readTerm(rest, zone)
	}
	if parsed.days && zone == nil {
		return query{}, Errorf(BadRequest, "this server does not know the time zone in tz, and cannot tell when its days begin")
	}
	return parsed, nil
}

func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// readTerm reads one word, phrase or filter from the start of text.
func (q *query) readTerm(text string, zone *time.Location) (rest string) {
	if phrase, rest, quoted := cutQuoted(text); quoted {
		q.addPhrase(phrase)
		return rest
	}
	end := strings.IndexFunc(text, isBlank)
	if end < 0 {
		end = len(text)
	}
	name, value, _ := strings.Cut(text[:end], ":")
	rest = text[end:]
	quoted, after, isQuoted := cutQuoted(text[end-len(value):])
	if isQuoted {
		end -= len(value)
		value, rest = quoted, after
	}
	if q.filter(strings.ToLower(name), strings.TrimFunc(value, isBlank), zone) {
		return rest
	}
	q.addWord(text[:end])
	return text[end:]
}

// quotes are those that may begin and end a phrase, as they are typed on a keyboard or
// put there by a phone: each language has its own order of them.
const quotes = "\"“”„‟«»「」『』《》〈〉〝〞〟＂‹›❝❞⹂"

// cutQuoted cuts what stands between the quote at the start of text and the next one,
// or all of it while the second has not been typed yet.
func cutQuoted(text string) (quoted, rest string, ok bool) {
	first, n := utf8.DecodeRuneInString(text)
	if first == '‘' || first == '‚' {
		return cutSingle(text[n:])
	}
	if text == "" || !strings.ContainsRune(quotes, first) {
		return "", "", false
	}
	text = text[n:]
	end := strings.IndexAny(text, quotes)
	if end < 0 {
		return text, "", true
	}
	_, n = utf8.DecodeRuneInString(text[end:])
	return text[:end], text[end+n:], true
}

// cutSingle cuts what stands before the first single quote that ends it. That is an apostrophe
// too: it ends nothing before a letter, and without an end it began nothing, as in ‘til.
func cutSingle(text string) (quoted, rest string, ok bool) {
	for i, r := range text {
		if r != '‘' && r != '’' {
			continue
		}
		rest := text[i+utf8.RuneLen(r):]
		if next, _ := utf8.DecodeRuneInString(rest); i > 0 && !isWordRune(next) {
			return text[:i], rest, true
		}
	}
	return "", "", false
}

// addWord adds a word without quotes and operators of search engines around it; a + at
// its end may be part of it, as in C++.
func (q *query) addWord(word string) {
	q.asked = true
	word = strings.TrimRight(strings.TrimLeft(word, quotes+"-+*"), quotes+"-*")
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

// isFindable reports whether a term contains anything that an index holds.
func isFindable(term string) bool {
	return strings.IndexFunc(term, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.So, r)
	}) >= 0
}

// filter reads a filter and reports whether it is one.
func (q *query) filter(name, value string, zone *time.Location) bool {
	switch name {
	case "from":
		return setOnce(&q.from, value)
	case "in":
		return setOnce(&q.in, value)
	case "has":
		link := strings.EqualFold(value, "link")
		q.links = q.links || link
		return link
	case "before", "after", "on":
		day, err := time.Parse(time.DateOnly, value)
		if err != nil {
			return false
		}
		if q.days = true; zone == nil {
			return true
		}
		begin, end := dayStart(day, zone), dayStart(day.AddDate(0, 0, 1), zone)
		switch name {
		case "before":
			q.bound(0, begin)
		case "after":
			q.bound(end, 0)
		default:
			q.bound(begin, end)
		}
		return true
	}
	return false
}

// setOnce sets a filter that is not set yet to a name, which must not be just a sign.
func setOnce(filter *string, name string) bool {
	if *filter != "" || strings.TrimLeft(name, "@#") == "" {
		return false
	}
	*filter = name
	return true
}

// dayStart returns when a day, a midnight in UTC, begins in a zone. Where the clock jumps
// over midnight that is not at 0:00, and where the day does not exist it is the next one.
func dayStart(day time.Time, zone *time.Location) Time {
	const widest = 15 * time.Hour // no zone is further from UTC
	date := day.Format(time.DateOnly)
	first := day.Add(-widest)
	seconds := sort.Search(int(2*widest/time.Second), func(n int) bool {
		return first.Add(time.Duration(n)*time.Second).In(zone).Format(time.DateOnly) >= date
	})
	return TimeOf(first.Add(time.Duration(seconds) * time.Second))
}

// bound narrows the time range to search; 0 is no bound.
func (q *query) bound(since, until Time) {
	q.since = max(q.since, since)
	if until != 0 && (q.until == 0 || until < q.until) {
		q.until = until
	}
}

// filtered reports whether the query has any filter.
func (q *query) filtered() bool {
	return q.from != "" || q.in != "" || q.since != 0 || q.until != 0 || q.links
}
