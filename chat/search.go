package chat

import (
	"context"
	"slices"
	"strings"
	"time"
)

const (
	// MaxSearchOffset is how deep into the hits of a search a page may start.
	MaxSearchOffset = 1000
	// maxUnindexed is how many of the newest unindexed messages each search looks
	// through.
	maxUnindexed = 500
	// maxNamesakes is how many users of one name from: and in: mean.
	maxNamesakes = 100
)

// SearchRequest is a search as a user asks for it. ChatID and SenderID may be "",
// Since and Until nil. Limit is at least 1.
type SearchRequest struct {
	Q                string
	ChatID, SenderID string
	Since, Until     *Time // inclusive, exclusive
	Offset, Limit    int
	TZ               string // IANA name of the zone whose days before:, after: and on: count; "": UTC
}

// SearchResult is one page of the hits, best first. Total counts all of them and
// is an estimate if there are many. Lag is how long the oldest unindexed change has
// been waiting.
type SearchResult struct {
	Hits  []SearchHit
	Total int
	Took  time.Duration
	Lag   time.Duration
}

// SearchHit is a message as it is now, and the part of its body that matches: HTML
// in which only <mark> and </mark> are markup.
type SearchHit struct {
	Message   Message `json:"message"`
	Highlight string  `json:"highlight"`
}

// SearchStore is what a search needs from storage.
type SearchStore interface {
	ChatIDs(ctx context.Context, userID string) ([]string, error)
	// ChatIDsNamed returns the user's chats with one of the names, compared as words of
	// a message are, and the direct chats with one of the keys.
	ChatIDsNamed(ctx context.Context, userID string, names, directKeys []string) ([]string, error)
	// UserIDsNamed returns the users with that username or display name, compared as
	// words of a message are.
	UserIDsNamed(ctx context.Context, name string, limit int) ([]string, error)
	// Unindexed returns at most limit messages of the user's chats. Whatever has left the
	// tail by then is counted as indexed.
	Unindexed(ctx context.Context, userID string, limit int) (IndexTail, error)
	// VisibleMessages returns by id those of the messages that the user may see now
	// and that are not deleted.
	VisibleMessages(ctx context.Context, userID string, ids []string) (map[string]Message, error)
}

// Search finds messages. It is stateless and may be used concurrently.
type Search struct {
	store SearchStore
	index SearchIndex
}

// NewSearch returns a Search over a store and an index of its messages.
func NewSearch(store SearchStore, index SearchIndex) *Search {
	return &Search{store: store, index: index}
}

// Find searches the chats that the user is a member of now. Messages sent or
// edited before the call are found even if they are not indexed yet. Errors:
// bad_request, unavailable when the index cannot be queried.
func (s *Search) Find(ctx context.Context, userID string, r SearchRequest) (SearchResult, error) {
	began := time.Now()
	parsed, err := r.parse()
	if err != nil {
		return SearchResult{}, err
	}
	q, err := s.confine(ctx, userID, r, parsed)
	if err != nil {
		return SearchResult{}, err
	}
	var result SearchResult
	if len(q.ChatIDs) > 0 && (q.Text() || !parsed.asked) {
		result, err = s.find(ctx, userID, r, q)
	}
	result.Took = time.Since(began)
	return result, err
}

func (r SearchRequest) parse() (query, error) {
	for name, id := range map[string]string{"chat_id": r.ChatID, "sender_id": r.SenderID} {
		if id != "" && !ValidID(id) {
			return query{}, Errorf(BadRequest, "%s must be an id", name)
		}
	}
	if r.Offset < 0 || r.Offset > MaxSearchOffset {
		return query{}, Errorf(BadRequest, "offset must be from 0 to %d", MaxSearchOffset)
	}
	zone, err := zoneNamed(r.TZ)
	if err != nil {
		return query{}, err
	}
	parsed, err := parseQuery(r.Q, zone)
	if err != nil {
		return query{}, err
	}
	if r.Since != nil {
		parsed.bound(*r.Since, 0)
	}
	if r.Until != nil {
		parsed.bound(0, *r.Until)
	}
	if !parsed.asked && !parsed.filtered() && r.ChatID == "" && r.SenderID == "" {
		return query{}, Errorf(BadRequest, "q must say what to search for")
	}
	return parsed, nil
}

// confine turns the user's query into one for the engine, limited to the user's
// chats. A name that no user or chat has leaves it without chats.
func (s *Search) confine(ctx context.Context, userID string, r SearchRequest, p query) (IndexQuery, error) {
	q := IndexQuery{Words: p.words, Prefix: p.prefix, Phrases: p.phrases, Since: p.since, Until: p.until, Links: p.links}
	if r.SenderID != "" {
		q.SenderIDs = []string{r.SenderID}
	}
	if p.from != "" {
		named, err := s.usersNamed(ctx, userID, p.from)
		if r.SenderID != "" {
			named = slices.DeleteFunc(named, func(id string) bool { return id != r.SenderID })
		}
		if err != nil || len(named) == 0 {
			return IndexQuery{}, err
		}
		q.SenderIDs = named
	}
	chats, err := s.chatsIn(ctx, userID, p.in)
	if err != nil {
		return IndexQuery{}, err
	}
	if r.ChatID != "" {
		chats = slices.DeleteFunc(chats, func(id string) bool { return id != r.ChatID })
	}
	q.ChatIDs = chats
	return q, nil
}

// usersNamed returns the ids of the users whom a name means, with or without the @ that
// people put before it, in their display names too; there may be namesakes.
func (s *Search) usersNamed(ctx context.Context, userID, name string) ([]string, error) {
	name = strings.TrimPrefix(name, "@")
	if strings.EqualFold(name, "me") {
		return []string{userID}, nil
	}
	ids, err := s.store.UserIDsNamed(ctx, name, maxNamesakes)
	if err != nil {
		return nil, err
	}
	handles, err := s.store.UserIDsNamed(ctx, "@"+name, maxNamesakes)
	return append(ids, handles...), err
}

// chatsIn returns the user's chats that in: means, all of them for "": those of that
// name, with or without the # that pages put before it, and the direct chats with the
// users of that name; @NAME means only those.
func (s *Search) chatsIn(ctx context.Context, userID, in string) ([]string, error) {
	if in == "" {
		return s.store.ChatIDs(ctx, userID)
	}
	users, err := s.usersNamed(ctx, userID, in)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(users))
	for i, other := range users {
		keys[i] = DirectKey(userID, other)
	}
	if strings.HasPrefix(in, "@") {
		return s.store.ChatIDsNamed(ctx, userID, nil, keys)
	}
	name := strings.TrimPrefix(in, "#")
	return s.store.ChatIDsNamed(ctx, userID, []string{in, name, "#" + name}, keys)
}

// found is a hit before it is shown.
type found struct {
	id    string
	marks []Mark
}

// find reads the unindexed messages before it asks the index: what is indexed
// in between is then found twice instead of missed.
func (s *Search) find(ctx context.Context, userID string, r SearchRequest, q IndexQuery) (SearchResult, error) {
	tail, err := s.store.Unindexed(ctx, userID, maxUnindexed)
	if err != nil {
		return SearchResult{}, err
	}
	unindexed := tail.Messages
	q.Limit, q.Indexed = r.Offset+r.Limit+len(unindexed), tail.Indexed
	indexed, err := s.index.Search(ctx, q)
	if err != nil {
		return SearchResult{}, err
	}
	matches := s.index.Match(q)
	hits := judge(q, matches, unindexed)
	ids := make([]string, 0, len(hits)+len(indexed.Hits))
	for _, h := range hits {
		ids = append(ids, h.id)
	}
	for _, h := range indexed.Hits {
		ids = append(ids, h.ID)
	}
	visible, err := s.store.VisibleMessages(ctx, userID, ids)
	if err != nil {
		return SearchResult{}, err
	}
	passed, refused := pass(q, matches, indexed.Hits, unindexed, visible)
	return SearchResult{
		Hits:  show(slices.Concat(hits, passed), visible, r),
		Total: max(len(hits)+indexed.Total-refused, len(hits)+len(passed)),
		Lag:   tail.Lag,
	}, nil
}

// matcher matches a body against the text of a query.
type matcher func(body string) (marks []Mark, ok bool)

// judge finds the matches among unindexed messages.
func judge(q IndexQuery, matches matcher, messages []Message) (hits []found) {
	for _, m := range messages {
		if m.DeletedAt != nil || !q.Admits(m) {
			continue
		}
		if marks, ok := matches(m.Body); ok {
			hits = append(hits, found{m.ID, marks})
		}
	}
	return hits
}

// pass keeps the hits of the index that are still right and counts the others. A
// message that has changed since it was indexed is matched again.
func pass(q IndexQuery, matches matcher, hits []IndexHit, unindexed []Message, visible map[string]Message) (passed []found, refused int) {
	judged := map[string]bool{}
	for _, m := range unindexed {
		judged[m.ID] = true
	}
	for _, h := range hits {
		m, ok := visible[h.ID]
		marks := h.Marks
		if ok && m.Version != h.Version {
			marks, ok = matches(m.Body)
		}
		if !ok || judged[h.ID] || !q.Admits(m) {
			refused++
			continue
		}
		passed = append(passed, found{h.ID, marks})
	}
	return passed, refused
}

// show returns the requested page of the hits.
func show(hits []found, visible map[string]Message, r SearchRequest) []SearchHit {
	page := []SearchHit{}
	for _, h := range hits[min(r.Offset, len(hits)):] {
		m, ok := visible[h.id]
		if !ok || len(page) == r.Limit {
			continue
		}
		page = append(page, SearchHit{Message: m, Highlight: Highlight(m.Body, h.marks)})
	}
	return page
}
