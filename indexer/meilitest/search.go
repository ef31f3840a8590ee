package meilitest

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"fechatter/chat"
	"fechatter/indexer"
)

// searchRequest is what the fake understands of a search; other fields are refused.
type searchRequest struct {
	Q                    string
	Offset, Limit        int
	Filter, Sort         []string
	MatchingStrategy     string
	AttributesToRetrieve []string
	ShowMatchesPosition  bool
	Hybrid               any // the library sends null
}

type hit struct {
	document Document
	marks    []chat.Mark
}

func (s *Server) search(r *request) (any, *failure) {
	wanted := searchRequest{Limit: 20}
	if f := r.decode(&wanted); f != nil {
		return nil, f
	}
	i, f := s.find(r.PathValue("uid"))
	if f != nil {
		return nil, f
	}
	if len(wanted.Sort) > 0 && (wanted.Sort[0] != "created_at:desc" || !i.has("sortableAttributes", "created_at")) {
		return nil, invalid("invalid_search_sort", "Attribute `%s` is not sortable.", wanted.Sort[0])
	}
	admits, f := i.filter(wanted.Filter)
	if f != nil {
		return nil, f
	}
	hits := i.matching(parseQuery(wanted.Q), admits)
	if len(wanted.Sort) > 0 || i.has("rankingRules", "created_at:desc") {
		slices.SortStableFunc(hits, func(a, b hit) int {
			return cmp.Compare(b.document.Int("created_at"), a.document.Int("created_at"))
		})
	}
	hits = part(hits, 0, i.maxTotalHits())
	return object{"hits": shown(part(hits, wanted.Offset, wanted.Limit), wanted), "estimatedTotalHits": len(hits)}, nil
}

func (i *index) maxTotalHits() int {
	limit, ok := i.settings["pagination"].(object)["maxTotalHits"].(json.Number)
	if n, err := limit.Int64(); ok && err == nil {
		return int(n)
	}
	return 1000
}

// matching returns the hits by id.
func (i *index) matching(q query, admits predicate) (hits []hit) {
	searchable := i.has("searchableAttributes", "body") || i.has("searchableAttributes", "*")
	for _, id := range i.ids() {
		d := i.documents[id]
		if !admits(d) {
			continue
		}
		if marks, ok := q.match(d.Text("body")); ok && (searchable || !q.Text()) {
			hits = append(hits, hit{d, marks})
		}
	}
	return hits
}

func shown(hits []hit, wanted searchRequest) []object {
	list := []object{}
	for _, h := range hits {
		o := h.document.only(wanted.AttributesToRetrieve)
		if wanted.ShowMatchesPosition {
			spans := []object{}
			for _, m := range h.marks {
				spans = append(spans, object{"start": m.Start, "length": m.End - m.Start})
			}
			o["_matchesPosition"] = object{"body": spans}
		}
		list = append(list, o)
	}
	return list
}

// query is a text as Meilisearch reads it.
type query struct {
	chat.IndexQuery
	excluded []chat.IndexQuery
}

const maxTerms = 10 // that Meilisearch considers

// parseQuery finds "phrases", -exclusions and words. The last word may be the
// beginning of one if nothing follows it.
func parseQuery(text string) (q query) {
	for text != "" {
		before, rest, quoted := strings.Cut(text, `"`)
		for w := range strings.FieldsSeq(before) {
			plain := strings.TrimPrefix(w, "-")
			q.add(chat.IndexQuery{Words: []string{plain}}, plain != w)
		}
		q.Prefix = !quoted && !strings.HasSuffix(before, " ")
		if !quoted {
			break
		}
		phrase, after, _ := strings.Cut(rest, `"`)
		q.add(chat.IndexQuery{Phrases: []string{phrase}}, strings.HasSuffix(before, "-"))
		text = after
	}
	return q
}

func (q *query) add(term chat.IndexQuery, excluded bool) {
	switch {
	case excluded:
		q.excluded = append(q.excluded, term)
	case len(q.Words)+len(q.Phrases) < maxTerms:
		q.Words, q.Phrases = append(q.Words, term.Words...), append(q.Phrases, term.Phrases...)
	}
}

func (q query) match(body string) ([]chat.Mark, bool) {
	judge := new(indexer.Indexer)
	for _, e := range q.excluded {
		if _, found := judge.Match(e)(body); found {
			return nil, false
		}
	}
	if !q.Text() {
		return nil, true
	}
	return judge.Match(q.IndexQuery)(body)
}
