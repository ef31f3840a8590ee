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
	stranger = "01890000-0000-7000-8000-00000000000c"
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
	between func() // runs after each read of the outbox or the index; clears itself
}

func (a *archive) ChatIDs(context.Context, string) ([]string, error) {
	return slices.Clone(a.chats), nil
}

func (a *archive) ChatIDsNamed(_ context.Context, _ string, names, keys []string) (ids []string, err error) {
	for _, name := range slices.Concat(names, keys) {
		if id, ok := a.named[name]; ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (a *archive) UserIDsNamed(_ context.Context, name string, _ int) ([]string, error) {
	switch name {
	case "friend", "My Friend", "@handle":
		return []string{friend}, nil
	case "Namesake":
		return []string{friend, stranger}, nil
	}
	return nil, nil
}

func (a *archive) Unindexed(context.Context, string, int) (IndexTail, error) {
	if a.between != nil {
		defer a.between()
	}
	return IndexTail{Messages: a.tail, Indexed: 7, Lag: 3 * time.Second}, nil
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

// Match requires each word somewhere in the body and marks its first place.
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

// put adds a visible message.
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
		named: map[string]string{"general": roomTwo, "#signed": roomOne, DirectKey(searcher, friend): roomOne}}
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
	if a.asked[0].Indexed != 7 {
		t.Errorf("the index is not told how much it must have: %+v", a.asked[0])
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
		senders []string
	}{
		"all chats":          {SearchRequest{Q: "x"}, []string{roomOne, roomTwo}, nil},
		"one chat":           {SearchRequest{Q: "x", ChatID: roomTwo}, []string{roomTwo}, nil},
		"another's chat":     {SearchRequest{Q: "x", ChatID: roomElse}, nil, nil},
		"named":              {SearchRequest{Q: "x in:general"}, []string{roomTwo}, nil},
		"direct":             {SearchRequest{Q: "x in:@friend"}, []string{roomOne}, nil},
		"direct with nobody": {SearchRequest{Q: "x in:@nobody"}, nil, nil},
		"no such chat":       {SearchRequest{Q: "x in:nowhere"}, nil, nil},
		"two chats at once":  {SearchRequest{Q: "x in:general", ChatID: roomOne}, nil, nil},
		"sender":             {SearchRequest{Q: "x", SenderID: friend}, []string{roomOne, roomTwo}, []string{friend}},
		"from":               {SearchRequest{Q: "from:friend"}, []string{roomOne, roomTwo}, []string{friend}},
		"with its sign":      {SearchRequest{Q: "x in:#general"}, []string{roomTwo}, nil},
		"named with a sign":  {SearchRequest{Q: "x in:#signed"}, []string{roomOne}, nil},
		"without the sign":   {SearchRequest{Q: "x in:signed"}, []string{roomOne}, nil},
		"direct, as shown":   {SearchRequest{Q: `x in:"My Friend"`}, []string{roomOne}, nil},
		"from, as shown":     {SearchRequest{Q: `from:"My Friend"`}, []string{roomOne, roomTwo}, []string{friend}},
		"namesakes":          {SearchRequest{Q: `from:Namesake`}, []string{roomOne, roomTwo}, []string{friend, stranger}},
		"one of namesakes":   {SearchRequest{Q: `from:Namesake`, SenderID: stranger}, []string{roomOne, roomTwo}, []string{stranger}},
		"from a handle":      {SearchRequest{Q: `from:"@handle"`}, []string{roomOne, roomTwo}, []string{friend}},
		"from it, without @": {SearchRequest{Q: `from:handle`}, []string{roomOne, roomTwo}, []string{friend}},
		"from me":            {SearchRequest{Q: "from:me"}, []string{roomOne, roomTwo}, []string{searcher}},
		"from nobody":        {SearchRequest{Q: "from:nobody"}, nil, nil},
		"two senders":        {SearchRequest{Q: "from:friend", SenderID: searcher}, nil, nil},
		"nothing to find":    {SearchRequest{Q: "*** from:friend"}, nil, nil},
	} {
		a := newArchive()
		_, ids := a.find(t, c.request)
		switch {
		case len(ids) != 0:
			t.Errorf("%s: found %v", name, ids)
		case c.chats == nil && len(a.asked) != 0:
			t.Errorf("%s: the engine was asked %+v", name, a.asked)
		case c.chats != nil && (len(a.asked) != 1 || !slices.Equal(a.asked[0].ChatIDs, c.chats) || !slices.Equal(a.asked[0].SenderIDs, c.senders)):
			t.Errorf("%s: the engine was asked %+v", name, a.asked)
		}
	}
	a := newArchive()
	a.chats = nil
	if a.find(t, SearchRequest{Q: "x"}); len(a.asked) != 0 {
		t.Error("the search of a user without chats reached the engine")
	}
}

func TestSearchRefuses(t *testing.T) {
	for _, r := range []SearchRequest{{}, {Q: " "}, {Q: "x", ChatID: `" OR 1=1`}, {Q: "x", SenderID: "x"}, {Q: "x", Offset: -1},
		{Q: "x", Offset: MaxSearchOffset + 1}, {Q: strings.Repeat("x", 10<<10)}} {
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
