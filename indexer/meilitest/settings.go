package meilitest

import (
	"maps"
	"slices"
)

// defaultSettings returns the settings of a new index, as far as the indexer or its
// tests touch them.
func defaultSettings() object {
	return object{
		"displayedAttributes": []any{"*"}, "searchableAttributes": []any{"*"}, "filterableAttributes": []any{}, "sortableAttributes": []any{},
		"rankingRules": []any{"words", "typo", "proximity", "attribute", "sort", "exactness"},
		"stopWords":    []any{}, "synonyms": object{}, "typoTolerance": object{"enabled": true}, "pagination": object{"maxTotalHits": 1000},
	}
}

// has reports whether a list among the settings contains an item.
func (i *index) has(setting, item string) bool {
	items, _ := i.settings[setting].([]any)
	return slices.Contains(items, any(item))
}

// Settings returns the settings of an index, nil if there is no such index.
func (s *Server) Settings(uid string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.indexes[uid]; i != nil {
		return maps.Clone(i.settings)
	}
	return nil
}

// ChangeSettings changes the settings of an index at once, as its operator might.
func (s *Server) ChangeSettings(uid string, change map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.indexes[uid].change(change)
}

func (s *Server) getSettings(r *request) (any, *failure) {
	i, f := s.find(r.PathValue("uid"))
	if f != nil {
		return nil, f
	}
	return i.settings, nil
}

// updateSettings creates the index if need be, as Meilisearch does.
func (s *Server) updateSettings(r *request) (any, *failure) {
	uid := r.PathValue("uid")
	var change object
	if f := r.decode(&change); f != nil {
		return nil, f
	}
	for name := range change {
		if _, known := defaultSettings()[name]; !known {
			return nil, invalid("bad_request", "Unknown field `%s`", name)
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
		if fields, ok := value.(object); ok {
			merged := maps.Clone(i.settings[name].(object))
			maps.Copy(merged, fields)
			value = merged
		}
		i.settings[name] = value
	}
}
