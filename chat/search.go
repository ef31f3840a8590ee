package chat

import (
	"context"
	"slices"
	"strings"
	"time"
)

const (
	// MaxSearchOffset is how far into the hits of a search one may ask.
	MaxSearchOffset = 1000
	// maxUnindexed is how many of the newest messages that no index has yet are
	// looked through by each search.
	maxUnindexed = 500
)

// SearchRequest is a search as it is asked for. ChatID and SenderID may be "",
// Since and Until nil; Limit is at least 1.
type SearchRequest struct {
	Q                string
	ChatID, SenderID string
	Since, Until     *Time // from, and before
	Offset, Limit    int
}

// SearchResult is a part of the hits, the best first. Total is of all of them,
// an estimate where there are many. Lag is how long the oldest change that the
// index does not know has been waiting.
type SearchResult struct {
	Hits  []SearchHit
	Total int
	Took  time.Duration
	Lag   time.Duration
}

// SearchHit is a message that was found, as it is now, and the part of its body
// that matches: HTML in which only <mark> and </mark> are markup.
type SearchHit struct {
	Message   Message `json:"message"`
	Highlight string  `json:"highlight"`
}

// SearchStore is what a search needs of storage.
type SearchStore interface {
	ChatIDs(ctx context.Context, userID string) ([]string, error)
	// ChatIDsNamed gives the user's chats of that name, in any case, and the direct
	// chat of that key; either may be "".
	ChatIDsNamed(ctx context.Context, userID, name, directKey string) ([]string, error)
	UserByName(ctx context.Context, username string) (User, error)
	// Unindexed gives the newest messages of the user's chats whose last change is
	// not in the index, deleted ones too, the newest first, and for how long the
	// oldest change of anybody's has been waiting.
	Unindexed(ctx context.Context, userID string, limit int) (messages []Message, lag time.Duration, err error)
	// VisibleMessages gives those of the messages that the user may see now and
	// that are not deleted, by id.
	VisibleMessages(ctx context.Context, userID string, ids []string) (map[string]Message, error)
}

// Search finds messages. It is stateless and may be used concurrently.
type Search struct {
	store SearchStore
	index SearchIndex
}

// NewSearch makes the use case over a store and an index of its messages.
func NewSearch(store SearchStore, index SearchIndex) *Search {
	return &Search{store: store, index: index}
}

// Find searches the chats of which the user is a member now. What was sent or
// edited before is found even if the index does not know it yet. Errors:
// bad_request, unavailable when the index cannot be asked.
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
	parsed, err := parseQuery(r.Q)
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

// confine makes the engine's query out of the user's: in the user's chats alone.
// Names that mean nobody and no chat leave it without chats.
func (s *Search) confine(ctx context.Context, userID string, r SearchRequest, p query) (IndexQuery, error) {
	q := IndexQuery{Words: p.words, Prefix: p.prefix, Phrases: p.phrases, SenderID: r.SenderID, Since: p.since, Until: p.until, Links: p.links}
	if p.from != "" {
		sender, err := s.userNamed(ctx, userID, p.from)
		if err != nil || sender == "" || r.SenderID != "" && sender != r.SenderID {
			return IndexQuery{}, err
		}
		q.SenderID = sender
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

// userNamed gives the id of a user, "" when there is none.
func (s *Search) userNamed(ctx context.Context, userID, name string) (string, error) {
	if name == "me" {
		return userID, nil
	}
	u, err := s.store.UserByName(ctx, name)
	if CodeOf(err) == NotFound {
		return "", nil
	}
	return u.ID, err
}

// chatsIn gives the user's chats that in: means, all of them for "".
func (s *Search) chatsIn(ctx context.Context, userID, in string) ([]string, error) {
	if in == "" {
		return s.store.ChatIDs(ctx, userID)
	}
	username, direct := strings.CutPrefix(in, "@")
	if !direct {
		return s.store.ChatIDsNamed(ctx, userID, in, "")
	}
	other, err := s.userNamed(ctx, userID, strings.ToLower(username))
	if err != nil || other == "" {
		return nil, err
	}
	return s.store.ChatIDsNamed(ctx, userID, "", DirectKey(userID, other))
}

// found is one hit before it is shown.
type found struct {
	id    string
	marks []Mark
}

// find looks through what is not indexed before it asks the index: what is
// indexed meanwhile is then found twice, not missed.
func (s *Search) find(ctx context.Context, userID string, r SearchRequest, q IndexQuery) (result SearchResult, err error) {
	var (
		unindexed []Message
		lag       time.Duration
		indexed   IndexHits
	)
	readTail := func() (err error) {
		unindexed, lag, err = s.store.Unindexed(ctx, userID, maxUnindexed)
		return err
	}
	askIndex := func() (err error) {
		q.Limit = r.Offset + r.Limit + len(unindexed)
		indexed, err = s.index.Search(ctx, q)
		return err
	}
	for _, step := range searchOrder(readTail, askIndex) {
		if err := step(); err != nil {
			return SearchResult{}, err
		}
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
	result = SearchResult{Lag: lag, Total: max(len(hits)+indexed.Total-refused, len(hits)+len(passed))}
	result.Hits = show(slices.Concat(hits, passed), visible, r)
	return result, nil
}

// matcher judges a body by the text of a query.
type matcher func(body string) (marks []Mark, ok bool)

// judge finds what matches among messages that the index does not know.
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

// pass takes the hits of the index that are true now, and counts the others. A
// message that changed since it was indexed is judged anew.
func pass(q IndexQuery, matches matcher, hits []IndexHit, unindexed []Message, visible map[string]Message) (passed []found, refused int) {
	judged := map[string]bool{}
	for _, m := range unindexed {
		judged[m.ID] = true
	}
	for _, h := range hits {
		m, ok := visible[h.ID]
		marks := h.Marks
		if ok && m.Version != h.Version && rechecks {
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

// show cuts the page out of the hits.
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
