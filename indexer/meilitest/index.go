package meilitest

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// index is one index. All of it is guarded by the server's mutex.
type index struct {
	created, updated time.Time
	key              string // the primary key, "" until there is one
	settings         object
	documents        map[string]Document
	order            []string // ids in the order in which they came
}

func newIndex(key string) *index {
	now := time.Now()
	return &index{created: now, updated: now, key: key, settings: object{}, documents: map[string]Document{}}
}

func (i *index) body(uid string) object {
	return object{"uid": uid, "createdAt": timestamp(i.created), "updatedAt": timestamp(i.updated), "primaryKey": orNull(i.key)}
}

// find answers for a request whose index must be there; with s.mu held.
func (s *Server) find(r *request) (*index, failure) {
	uid := r.PathValue("uid")
	if i := s.indexes[uid]; i != nil {
		return i, failure{}
	}
	return nil, noIndex(uid)
}

func (s *Server) getIndex(r *request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, f := s.find(r)
	if i == nil {
		return http.StatusNotFound, f
	}
	return http.StatusOK, i.body(r.PathValue("uid"))
}

func (s *Server) listIndexes(r *request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	offset, limit := r.number("offset", 0), r.number("limit", 20)
	list := []object{}
	for _, uid := range part(slices.Sorted(maps.Keys(s.indexes)), offset, limit) {
		list = append(list, s.indexes[uid].body(uid))
	}
	return http.StatusOK, object{"results": list, "offset": offset, "limit": limit, "total": len(s.indexes)}
}

func (s *Server) createIndex(r *request) (int, any) {
	var wanted struct{ UID, PrimaryKey string }
	if f, ok := r.decode(&wanted); !ok {
		return http.StatusBadRequest, f
	}
	if !isIdentifier(wanted.UID, 400) {
		return http.StatusBadRequest, invalid("invalid_index_uid", "`%s` is not a valid index uid.", wanted.UID)
	}
	return s.enqueue(&task{index: wanted.UID, kind: "indexCreation", do: func() *failure {
		if s.indexes[wanted.UID] != nil {
			f := invalid("index_already_exists", "Index `%s` already exists.", wanted.UID)
			return &f
		}
		s.indexes[wanted.UID] = newIndex(wanted.PrimaryKey)
		return nil
	}})
}

func (s *Server) deleteIndex(r *request) (int, any) {
	uid := r.PathValue("uid")
	return s.enqueue(&task{index: uid, kind: "indexDeletion", do: func() *failure {
		if s.indexes[uid] == nil {
			f := noIndex(uid)
			return &f
		}
		delete(s.indexes, uid)
		return nil
	}})
}

func (s *Server) swapIndexes(r *request) (int, any) {
	var swaps []struct {
		Indexes []string
		Rename  bool
	}
	if f, ok := r.decode(&swaps); !ok {
		return http.StatusBadRequest, f
	}
	for _, swap := range swaps {
		if len(swap.Indexes) != 2 || swap.Rename {
			return http.StatusBadRequest, invalid("invalid_swap_indexes", "Two indexes must be given for each swap. The list contains %d indexes.", len(swap.Indexes))
		}
	}
	return s.enqueue(&task{kind: "indexSwap", do: func() *failure {
		for _, swap := range swaps {
			for _, uid := range swap.Indexes {
				if s.indexes[uid] == nil {
					f := noIndex(uid)
					return &f
				}
			}
		}
		for _, swap := range swaps {
			a, b := swap.Indexes[0], swap.Indexes[1]
			s.indexes[a], s.indexes[b] = s.indexes[b], s.indexes[a]
		}
		return nil
	}})
}

func (s *Server) stats(r *request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, f := s.find(r)
	if i == nil {
		return http.StatusNotFound, f
	}
	fields := map[string]int{}
	for _, d := range i.documents {
		for name := range d {
			fields[name]++
		}
	}
	return http.StatusOK, object{"numberOfDocuments": len(i.documents), "isIndexing": false, "fieldDistribution": fields}
}
