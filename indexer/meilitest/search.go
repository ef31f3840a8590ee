package meilitest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// searchRequest is what the fake knows of a search. Its other fields are unknown
// to it, and refused.
type searchRequest struct {
	Q                    string
	Offset, Limit        int
	Filter               any
	Sort                 []string
	MatchingStrategy     string
	AttributesToRetrieve []string
	ShowMatchesPosition  bool
	Hybrid               any // must be null
}

type hit struct {
	document Document
	typos    int
	spans    []span
}

func (s *Server) search(r *request) (int, any) {
	wanted := searchRequest{Limit: 20, MatchingStrategy: "last"}
	if f, ok := r.decode(&wanted); !ok {
		return http.StatusBadRequest, f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	uid := r.PathValue("uid")
	i, f := s.find(r)
	if i == nil {
		return http.StatusNotFound, f
	}
	if len(wanted.Sort) > 0 && (wanted.Sort[0] != "created_at:desc" || !i.has("sortableAttributes", "created_at")) {
		return http.StatusBadRequest, invalid("invalid_search_sort", "Index `%s`: Attribute `%s` is not sortable.", uid, wanted.Sort[0])
	}
	matches, problem := i.filter(wanted.Filter)
	if problem != "" {
		return http.StatusBadRequest, invalid("invalid_search_filter", "Index `%s`: %s", uid, problem)
	}
	hits := i.matching(parseQuery(wanted.Q), matches)
	i.rank(hits, wanted)
	hits = part(hits, 0, i.maxTotalHits())
	return http.StatusOK, object{
		"hits": shown(part(hits, wanted.Offset, wanted.Limit), wanted), "query": wanted.Q, "processingTimeMs": 0,
		"limit": wanted.Limit, "offset": wanted.Offset, "estimatedTotalHits": len(hits),
	}
}

func (i *index) matching(q query, matches predicate) []hit {
	searchable := i.has("searchableAttributes", "body") || i.has("searchableAttributes", "*")
	var hits []hit
	for _, id := range i.order {
		d := i.documents[id]
		if !matches(d) {
			continue
		}
		var body []token
		if searchable {
			body = tokens(d.Text("body"))
		}
		if spans, typos, ok := q.match(body, i.typos()); ok {
			hits = append(hits, hit{d, typos, spans})
		}
	}
	return hits
}

// rank puts fewer typos first, then the newer if that was asked for. What is left
// equal stays in the order in which it came.
func (i *index) rank(hits []hit, wanted searchRequest) {
	newest := len(wanted.Sort) > 0 || i.has("rankingRules", "created_at:desc")
	slices.SortStableFunc(hits, func(a, b hit) int {
		if order := cmp.Compare(a.typos, b.typos); order != 0 || !newest {
			return order
		}
		return cmp.Compare(b.document.Int("created_at"), a.document.Int("created_at"))
	})
}

func shown(hits []hit, wanted searchRequest) []object {
	list := []object{}
	for _, h := range hits {
		o := h.document.only(wanted.AttributesToRetrieve)
		if wanted.ShowMatchesPosition {
			positions := object{}
			if len(h.spans) > 0 {
				positions["body"] = h.spans
			}
			o["_matchesPosition"] = positions
		}
		list = append(list, o)
	}
	return list
}

// query is a text as Meilisearch reads it.
type query struct {
	terms, excluded []term
}

// term is tokens that must be side by side.
type term struct {
	tokens []string
	exact  bool // no typos: a phrase
	prefix bool // the last may be a beginning
}

const maxTerms = 10 // that a query has in Meilisearch's eyes

// parseQuery finds "phrases", -exclusions and words. The last word is a beginning
// when nothing follows it.
func parseQuery(text string) query {
	var q query
	for text != "" {
		before, rest, quoted := strings.Cut(text, `"`)
		q.words(before, !quoted)
		phrase, after, _ := strings.Cut(rest, `"`)
		if quoted {
			q.add(term{tokens: folded(phrase), exact: true}, strings.HasSuffix(before, "-"))
		}
		text = after
	}
	q.terms = part(q.terms, 0, maxTerms)
	return q
}

func (q *query) words(text string, last bool) {
	list := strings.Fields(text)
	for n, w := range list {
		plain := strings.TrimPrefix(w, "-")
		end := tokens(plain)
		prefix := last && n == len(list)-1 && len(end) > 0 && end[len(end)-1].end == len(plain) && strings.HasSuffix(text, w)
		q.add(term{tokens: folded(plain), prefix: prefix}, plain != w)
	}
}

func (q *query) add(t term, excluded bool) {
	switch {
	case len(t.tokens) == 0:
	case excluded:
		q.excluded = append(q.excluded, t)
	default:
		q.terms = append(q.terms, t)
	}
}
