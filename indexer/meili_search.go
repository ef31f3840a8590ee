package indexer

import (
	"context"
	"encoding/json"

	"fechatter/chat"

	"github.com/meilisearch/meilisearch-go"
)

// Search is one request. A hit has all of the query's words, but only the first
// meiliTerms words and phrases count. It returns at most meiliMaxHits hits. The total
// is the server's estimate.
func (m *Meili) Search(ctx context.Context, q chat.IndexQuery) (chat.IndexHits, error) {
	filter, some := meiliFilter(q)
	text := meiliText(q)
	if !some || text == "" && q.Text() {
		return chat.IndexHits{}, nil
	}
	request := &meilisearch.SearchRequest{
		Limit:                int64(min(q.Limit, meiliMaxHits)),
		AttributesToRetrieve: []string{"id", "version"},
		MatchingStrategy:     meilisearch.All,
		Filter:               filter,
		ShowMatchesPosition:  text != "",
	}
	if text == "" {
		request.Sort = []string{"created_at:desc"}
	}
	found, err := m.index(m.name).Search(ctx, text, request)
	if err != nil {
		return chat.IndexHits{}, meiliError("search", err)
	}
	return meiliHits(found)
}

func meiliHits(found *meilisearch.SearchResponse) (chat.IndexHits, error) {
	hits := chat.IndexHits{Total: max(int(found.EstimatedTotalHits), len(found.Hits))}
	for _, raw := range found.Hits {
		var d Document
		if err := raw.DecodeInto(&d); err != nil {
			return chat.IndexHits{}, meiliError("read hit", err)
		}
		marks, err := meiliMarks(raw["_matchesPosition"])
		if err != nil {
			return chat.IndexHits{}, meiliError("read matches", err)
		}
		hits.Hits = append(hits.Hits, chat.IndexHit{ID: d.ID, Version: d.Version, Marks: marks})
	}
	return hits, nil
}

func meiliMarks(raw json.RawMessage) ([]chat.Mark, error) {
	if raw == nil {
		return nil, nil
	}
	var positions struct {
		Body []struct{ Start, Length int }
	}
	if err := json.Unmarshal(raw, &positions); err != nil {
		return nil, err
	}
	var marks []chat.Mark
	for _, p := range positions.Body {
		if p.Length > 0 {
			marks = append(marks, chat.Mark{Start: p.Start, End: p.Start + p.Length})
		}
	}
	return chat.JoinMarks(marks), nil
}
