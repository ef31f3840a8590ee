package chat

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	searcher = "01890000-0000-7000-8000-00000000000a"
	friend   = "01890000-0000-7000-8000-00000000000b"
	roomOne  = "01890000-0000-7000-8000-000000000001"
	roomTwo  = "01890000-0000-7000-8000-000000000002"
	roomElse = "01890000-0000-7000-8000-000000000003"
)

// archive is a store of one user's chats and an index over some of their
// messages, as far apart from each other as a test wants.
type archive struct {
	chats   []string
	named   map[string]string
	visible map[string]Message
	tail    []Message
	hits    []IndexHit
	total   int
	err     error
	asked   []IndexQuery
	between func() // runs once after the first of outbox and index was read
}

func (a *archive) ChatIDs(context.Context, string) ([]string, error) {
	return slices.Clone(a.chats), nil
}

func (a *archive) ChatIDsNamed(_ context.Context, _, name, key string) ([]string, error) {
	if id, ok := a.named[name+key]; ok {
		return []string{id}, nil
	}
	return nil, nil
}

func (a *archive) UserByName(_ context.Context, name string) (User, error) {
	if name == "friend" {
		return User{ID: friend}, nil
	}
	return User{}, Errorf(NotFound, "there is no such user")
}

func (a *archive) Unindexed(context.Context, string, int) ([]Message, time.Duration, error) {
	if a.between != nil {
		defer a.between()
	}
	return a.tail, 3 * time.Second, nil
}

func (a *archive) VisibleMessages(_ context.Context, _ string, ids []string) (map[string]Message, error) {
	found := map[string]Message{}
	for _, id := range ids {
		if m, ok := a.visible[id]; ok {
			found[id] = m
		}
	}
	return found, nil
}

func (a *archive) Search(_ context.Context, q IndexQuery) (IndexHits, error) {
	if a.between != nil {
		defer a.between()
	}
	a.asked = append(a.asked, q)
	return IndexHits{Hits: a.hits[:min(len(a.hits), q.Limit)], Total: max(a.total, len(a.hits))}, a.err
}

// Match wants each word somewhere, and marks where it is first.
func (a *archive) Match(q IndexQuery) func(string) ([]Mark, bool) {
	return func(body string) (marks []Mark, ok bool) {
		for _, w := range q.Words {
			at := strings.Index(body, w)
			if at < 0 {
				return nil, false
			}
			marks = append(marks, Mark{at, at + len(w)})
		}
		return marks, true
	}
}

// put makes a message that is visible.
func (a *archive) put(id, body string) Message {
	m := Message{ID: id, ChatID: roomOne, SenderID: friend, Body: body, Version: 1, CreatedAt: 1000}
	a.visible[id] = m
	return m
}

func (a *archive) indexed(id, body string) {
	a.put(id, body)
	a.hits = append(a.hits, IndexHit{ID: id, Version: 1, Marks: []Mark{{0, 1}}})
}

func newArchive() *archive {
	return &archive{chats: []string{roomOne, roomTwo}, visible: map[string]Message{},
		named: map[string]string{"general": roomTwo, DirectKey(searcher, friend): roomOne}}
}

func (a *archive) find(t *testing.T, r SearchRequest) (SearchResult, []string) {
	t.Helper()
	if r.Limit == 0 {
		r.Limit = 50
	}
	result, err := NewSearch(a, a).Find(t.Context(), searcher, r)
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	ids := []string{}
	for _, h := range result.Hits {
		ids = append(ids, h.Message.ID)
	}
	return result, ids
}

func TestSearchJudgesEveryHit(t *testing.T) {
	a := newArchive()
	a.indexed("sound", "word here")
	a.hits = append(a.hits, IndexHit{ID: "gone", Version: 1})   // deleted, or in a chat that the user has left
	a.hits = append(a.hits, IndexHit{ID: "edited", Version: 1}) // and no longer matches
	a.hits = append(a.hits, IndexHit{ID: "still", Version: 1})  // edited too, but matches
	edited, still := a.put("edited", "other"), a.put("still", "a word")
	edited.Version, still.Version = 2, 2
	a.visible["edited"], a.visible["still"] = edited, still
	elsewhere := a.put("elsewhere", "word")
	elsewhere.ChatID = roomElse
	a.visible["elsewhere"] = elsewhere
	a.hits = append(a.hits, IndexHit{ID: "elsewhere", Version: 1}) // not in a chat that was asked for
	result, ids := a.find(t, SearchRequest{Q: "word"})
	if !slices.Equal(ids, []string{"sound", "still"}) || result.Total != 2 {
		t.Errorf("found %v of %d", ids, result.Total)
	}
	if got := result.Hits[1].Highlight; got != "a <mark>word</mark>" {
		t.Errorf("highlight %s", got)
	}
	if result.Lag != 3*time.Second {
		t.Errorf("lag %s", result.Lag)
	}
}

func TestSearchFindsWhatIsNotIndexed(t *testing.T) {
	a := newArchive()
	a.indexed("old", "word")
	a.indexed("both", "word again")
	late := a.put("late", "<b>the word</b>")
	deleted := Message{ID: "deleted", ChatID: roomOne, Body: "word", DeletedAt: new(Time(1))}
	a.tail = []Message{late, a.visible["both"], a.put("other", "nothing"), deleted}
	result, ids := a.find(t, SearchRequest{Q: "word"})
	if !slices.Equal(ids, []string{"late", "both", "old"}) || result.Total != 3 {
		t.Errorf("found %v of %d", ids, result.Total)
	}
	if got := result.Hits[0].Highlight; got != "&lt;b&gt;the <mark>word</mark>&lt;/b&gt;" {
		t.Errorf("highlight %s", got)
	}
	for offset, want := range [][]string{{"late"}, {"both"}, {"old"}, {}} {
		if _, ids := a.find(t, SearchRequest{Q: "word", Offset: offset, Limit: 1}); !slices.Equal(ids, want) {
			t.Errorf("page %d: %v", offset, ids)
		}
	}
}

// A message that is indexed while a search is under way is found, whatever the
// moment.
func TestSearchDuringIndexing(t *testing.T) {
	a := newArchive()
	a.tail = []Message{a.put("late", "word")}
	a.between = func() {
		a.between, a.tail = nil, nil
		a.hits = append(a.hits, IndexHit{ID: "late", Version: 1})
	}
	if result, ids := a.find(t, SearchRequest{Q: "word"}); !slices.Equal(ids, []string{"late"}) || result.Total != 1 {
		t.Errorf("found %v of %d", ids, result.Total)
	}
}

func TestSearchIsConfined(t *testing.T) {
	for name, c := range map[string]struct {
		request SearchRequest
		chats   []string // nil: the engine is not asked
		sender  string
	}{
		"all chats":          {SearchRequest{Q: "x"}, []string{roomOne, roomTwo}, ""},
		"one chat":           {SearchRequest{Q: "x", ChatID: roomTwo}, []string{roomTwo}, ""},
		"another's chat":     {SearchRequest{Q: "x", ChatID: roomElse}, nil, ""},
		"named":              {SearchRequest{Q: "x in:general"}, []string{roomTwo}, ""},
		"direct":             {SearchRequest{Q: "x in:@friend"}, []string{roomOne}, ""},
		"direct with nobody": {SearchRequest{Q: "x in:@nobody"}, nil, ""},
		"no such chat":       {SearchRequest{Q: "x in:nowhere"}, nil, ""},
		"two chats at once":  {SearchRequest{Q: "x in:general", ChatID: roomOne}, nil, ""},
		"sender":             {SearchRequest{Q: "x", SenderID: friend}, []string{roomOne, roomTwo}, friend},
		"from":               {SearchRequest{Q: "from:friend"}, []string{roomOne, roomTwo}, friend},
		"from oneself":       {SearchRequest{Q: "from:me"}, []string{roomOne, roomTwo}, searcher},
		"from nobody":        {SearchRequest{Q: "from:nobody"}, nil, ""},
		"two senders":        {SearchRequest{Q: "from:friend", SenderID: searcher}, nil, ""},
		"nothing to find":    {SearchRequest{Q: "*** from:friend"}, nil, ""},
	} {
		a := newArchive()
		_, ids := a.find(t, c.request)
		switch {
		case len(ids) != 0:
			t.Errorf("%s: found %v", name, ids)
		case c.chats == nil && len(a.asked) != 0:
			t.Errorf("%s: the engine was asked %+v", name, a.asked)
		case c.chats != nil && (len(a.asked) != 1 || !slices.Equal(a.asked[0].ChatIDs, c.chats) || a.asked[0].SenderID != c.sender):
			t.Errorf("%s: the engine was asked %+v", name, a.asked)
		}
	}
	a := newArchive()
	a.chats = nil
	if a.find(t, SearchRequest{Q: "x"}); len(a.asked) != 0 {
		t.Error("who has no chats reached the engine")
	}
}

func TestSearchRefuses(t *testing.T) {
	for _, r := range []SearchRequest{{}, {Q: " "}, {Q: "x", ChatID: `" OR 1=1`}, {Q: "x", SenderID: "x"}, {Q: "x", Offset: -1},
		{Q: "x", Offset: MaxSearchOffset + 1}, {Q: strings.Repeat("x", 10<<10)}, {Q: "before:x"}} {
		r.Limit = 50
		if _, err := NewSearch(newArchive(), newArchive()).Find(t.Context(), searcher, r); CodeOf(err) != BadRequest {
			t.Errorf("%.40v: %v", r, err)
		}
	}
	a := newArchive()
	a.err = Errorf(Unavailable, "away")
	if _, err := NewSearch(a, a).Find(t.Context(), searcher, SearchRequest{Q: "x", Limit: 1}); CodeOf(err) != Unavailable {
		t.Errorf("an engine that is away: %v", err)
	}
}
