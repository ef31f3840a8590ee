package meilitest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// defaultSettings are those of an index that nobody gave any.
func defaultSettings() object {
	return object{
		"displayedAttributes": list("*"), "searchableAttributes": list("*"),
		"filterableAttributes": list(), "sortableAttributes": list(),
		"rankingRules": list("words", "typo", "proximity", "attribute", "sort", "exactness"),
		"stopWords":    list(), "nonSeparatorTokens": list(), "separatorTokens": list(), "dictionary": list(),
		"synonyms": object{}, "distinctAttribute": nil, "proximityPrecision": "byWord",
		"typoTolerance": object{
			"enabled": true, "minWordSizeForTypos": object{"oneTypo": 5, "twoTypos": 9},
			"disableOnWords": list(), "disableOnAttributes": list(), "disableOnNumbers": false,
		},
		"faceting":   object{"maxValuesPerFacet": 100, "sortFacetValuesBy": object{"*": "alpha"}},
		"pagination": object{"maxTotalHits": json.Number("1000")}, "embedders": object{}, "searchCutoffMs": nil,
		"localizedAttributes": nil, "facetSearch": true, "prefixSearch": "indexingTime",
	}
}

func list(items ...any) []any { return append([]any{}, items...) }

func (i *index) effective() object {
	settings := defaultSettings()
	maps.Copy(settings, i.settings)
	return settings
}

func (i *index) maxTotalHits() int {
	n, err := i.effective()["pagination"].(object)["maxTotalHits"].(json.Number).Int64()
	if err != nil {
		return 1000
	}
	return int(n)
}

// has says whether a list among the settings has an item.
func (i *index) has(setting, item string) bool {
	items, _ := i.effective()[setting].([]any)
	return slices.Contains(items, any(item))
}

func (i *index) typos() bool {
	enabled, _ := i.effective()["typoTolerance"].(object)["enabled"].(bool)
	return enabled
}

// Settings gives those of an index that are not the defaults, nil when there is no
// such index.
func (s *Server) Settings(uid string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.indexes[uid]; i != nil {
		return maps.Clone(i.settings)
	}
	return nil
}

func (s *Server) getSettings(r *request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, f := s.find(r)
	if i == nil {
		return http.StatusNotFound, f
	}
	return http.StatusOK, i.effective()
}

// updateSettings makes the index if need be, as Meilisearch does. Null means the
// default again.
func (s *Server) updateSettings(r *request) (int, any) {
	uid := r.PathValue("uid")
	var change object
	if f, ok := r.decode(&change); !ok {
		return http.StatusBadRequest, f
	}
	known := defaultSettings()
	for name := range change {
		if _, ok := known[name]; !ok {
			return http.StatusBadRequest, invalid("bad_request", "Unknown field `%s`", name)
		}
	}
	return s.enqueue(&task{index: uid, kind: "settingsUpdate", do: func() *failure {
		if s.indexes[uid] == nil {
			s.indexes[uid] = newIndex("")
		}
		s.indexes[uid].change(change)
		return nil
	}})
}

func (i *index) change(change object) {
	for name, value := range change {
		if value == nil {
			delete(i.settings, name)
			continue
		}
		if parts, ok := value.(object); ok {
			merged := maps.Clone(i.effective()[name].(object))
			maps.Copy(merged, parts)
			value = merged
		}
		i.settings[name] = value
	}
}
