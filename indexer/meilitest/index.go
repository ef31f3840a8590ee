package meilitest

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// index is one index, guarded by the server's mutex.
type index struct {
	created   time.Time
	key       string // the primary key, "" until there is one
	settings  object
	documents map[string]Document
}

func newIndex(key string) *index {
	return &index{created: time.Now(), key: key, settings: defaultSettings(), documents: map[string]Document{}}
}

func (i *index) body(uid string) object {
	created := i.created.UTC().Format(time.RFC3339Nano)
	return object{"uid": uid, "createdAt": created, "updatedAt": created, "primaryKey": i.key}
}

func (i *index) ids() []string { return slices.Sorted(maps.Keys(i.documents)) }

// Indexes returns the names of all indexes, sorted.
func (s *Server) Indexes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.indexes))
}

func (s *Server) find(uid string) (*index, *failure) {
	if i := s.indexes[uid]; i != nil {
		return i, nil
	}
	return nil, &failure{http.StatusNotFound, "invalid_request", "index_not_found", "Index `" + uid + "` not found."}
}

func (s *Server) getIndex(r *request) (any, *failure) {
	i, f := s.find(r.PathValue("uid"))
	if f != nil {
		return nil, f
	}
	return i.body(r.PathValue("uid")), nil
}

func (s *Server) listIndexes(*request) (any, *failure) {
	list := []object{}
	for uid, i := range s.indexes {
		list = append(list, i.body(uid))
	}
	return object{"results": list, "offset": 0, "limit": len(list), "total": len(list)}, nil
}

func (s *Server) createIndex(r *request) (any, *failure) {
	var wanted struct{ UID, PrimaryKey string }
	if f := r.decode(&wanted); f != nil {
		return nil, f
	}
	return s.enqueue(&task{index: wanted.UID, kind: "indexCreation", do: func() *failure {
		if s.indexes[wanted.UID] != nil {
			return invalid("index_already_exists", "Index `%s` already exists.", wanted.UID)
		}
		s.indexes[wanted.UID] = newIndex(wanted.PrimaryKey)
		return nil
	}})
}

func (s *Server) deleteIndex(r *request) (any, *failure) {
	uid := r.PathValue("uid")
	return s.enqueue(&task{index: uid, kind: "indexDeletion", do: func() *failure {
		_, f := s.find(uid)
		delete(s.indexes, uid)
		return f
	}})
}

func (s *Server) swapIndexes(r *request) (any, *failure) {
	var swaps []struct {
		Indexes []string
		Rename  bool // older servers do not know it
	}
	if f := r.decode(&swaps); f != nil {
		return nil, f
	}
	if len(swaps) != 1 || len(swaps[0].Indexes) != 2 || swaps[0].Rename {
		return nil, invalid("invalid_swap_indexes", "Two indexes must be given for each swap.")
	}
	a, b := swaps[0].Indexes[0], swaps[0].Indexes[1]
	return s.enqueue(&task{kind: "indexSwap", do: func() *failure {
		for _, uid := range swaps[0].Indexes {
			if _, f := s.find(uid); f != nil {
				return f
			}
		}
		s.indexes[a], s.indexes[b] = s.indexes[b], s.indexes[a]
		return nil
	}})
}

func (s *Server) stats(r *request) (any, *failure) {
	i, f := s.find(r.PathValue("uid"))
	if f != nil {
		return nil, f
	}
	return object{"numberOfDocuments": len(i.documents), "isIndexing": false, "fieldDistribution": object{}}, nil
}
