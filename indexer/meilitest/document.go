package meilitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
)

// Document is a document as it was sent. Numbers are json.Number.
type Document map[string]any

// Text returns the value of a field, "" if it is not text.
func (d Document) Text(field string) string {
	text, _ := d[field].(string)
	return text
}

// Int returns the value of a field, 0 if it is not a whole number.
func (d Document) Int(field string) int64 {
	number, _ := d[field].(json.Number)
	n, _ := number.Int64()
	return n
}

func (d Document) only(fields []string) object {
	o := object{}
	for name, value := range d {
		if slices.Contains(fields, name) {
			o[name] = value
		}
	}
	return o
}

// Documents returns the documents of an index by id, nil if there is no such index.
func (s *Server) Documents(uid string) map[string]Document {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.indexes[uid]; i != nil {
		return maps.Clone(i.documents)
	}
	return nil
}

// addDocuments accepts one document per line, and creates the index if need be.
func (s *Server) addDocuments(r *request) (any, *failure) {
	var documents []Document
	decoder := json.NewDecoder(bytes.NewReader(r.body))
	decoder.UseNumber()
	for {
		var d Document
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, invalid("malformed_payload", "The payload provided is malformed. `%v`.", err)
		}
		documents = append(documents, d)
	}
	s.counts.Batches++
	s.counts.MaxDocuments = max(s.counts.MaxDocuments, len(documents))
	uid, key := r.PathValue("uid"), r.URL.Query().Get("primaryKey")
	return s.enqueue(&task{index: uid, kind: "documentAdditionOrUpdate", documents: documents, do: func() *failure {
		if s.indexes[uid] == nil {
			s.indexes[uid] = newIndex(key)
		}
		return s.indexes[uid].add(key, documents)
	}})
}

// add replaces documents, all of them or none.
func (i *index) add(key string, documents []Document) *failure {
	if i.key != key {
		return invalid("index_primary_key_already_exists", "Index already has a primary key: `%s`.", i.key)
	}
	for _, d := range documents {
		if !isKey(d.Text(key)) {
			return invalid("invalid_document_id", "Document identifier `%v` is invalid.", d[key])
		}
	}
	for _, d := range documents {
		i.documents[d.Text(key)] = d
	}
	return nil
}

func isKey(id string) bool {
	return id != "" && len(id) <= 511 &&
		strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

func (s *Server) deleteDocuments(r *request) (any, *failure) {
	var ids []string
	if f := r.decode(&ids); f != nil {
		return nil, f
	}
	uid := r.PathValue("uid")
	return s.enqueue(&task{index: uid, kind: "documentDeletion", do: func() *failure {
		i, f := s.find(uid)
		for _, id := range ids {
			if f == nil {
				delete(i.documents, id)
			}
		}
		return f
	}})
}

func (s *Server) fetchDocuments(r *request) (any, *failure) {
	wanted := struct {
		Offset, Limit int
		Fields, IDs   []string
	}{Limit: 20}
	if f := r.decode(&wanted); f != nil {
		return nil, f
	}
	i, f := s.find(r.PathValue("uid"))
	if f != nil {
		return nil, f
	}
	if slices.ContainsFunc(wanted.IDs, func(id string) bool { return !isKey(id) }) {
		return nil, invalid("invalid_document_ids", "One of `.ids` is invalid.")
	}
	found := []object{}
	for _, id := range i.ids() {
		if wanted.IDs == nil || slices.Contains(wanted.IDs, id) {
			found = append(found, i.documents[id].only(wanted.Fields))
		}
	}
	page := part(found, wanted.Offset, wanted.Limit)
	return object{"results": page, "offset": wanted.Offset, "limit": wanted.Limit, "total": len(found)}, nil
}
