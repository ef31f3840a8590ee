package meilitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Document is one as it was sent. Numbers are json.Number.
type Document map[string]any

// Text is the value of a field, "" when it is not text.
func (d Document) Text(field string) string {
	text, _ := d[field].(string)
	return text
}

// Int is the value of a field, 0 when it is no whole number.
func (d Document) Int(field string) int64 {
	number, _ := d[field].(json.Number)
	n, _ := number.Int64()
	return n
}

func (d Document) only(fields []string) object {
	o := object{}
	for name, value := range d {
		if fields == nil || slices.Contains(fields, name) || slices.Contains(fields, "*") {
			o[name] = value
		}
	}
	return o
}

func (s *Server) addDocuments(r *request) (int, any) {
	documents, err := readDocuments(r.body)
	if err != nil {
		return http.StatusBadRequest, invalid("malformed_payload", "The payload provided is malformed. `%v`.", err)
	}
	if len(documents) == 0 {
		return http.StatusBadRequest, invalid("missing_payload", "A payload is missing.")
	}
	s.countBatch(len(documents))
	uid, key := r.PathValue("uid"), r.URL.Query().Get("primaryKey")
	return s.enqueue(&task{index: uid, kind: "documentAdditionOrUpdate", documents: documents, do: func() *failure {
		if s.indexes[uid] == nil {
			s.indexes[uid] = newIndex("")
		}
		return s.indexes[uid].add(uid, key, documents)
	}})
}

func (s *Server) countBatch(documents int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Batches++
	s.counts.MaxDocuments = max(s.counts.MaxDocuments, documents)
}

// readDocuments takes a list, or one document after the other.
func readDocuments(body []byte) ([]Document, error) {
	var documents []Document
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		err := decoder.Decode(&documents)
		return documents, err
	}
	for {
		var d Document
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		documents = append(documents, d)
	}
}

// add replaces documents, all of them or none.
func (i *index) add(uid, key string, documents []Document) *failure {
	if f := i.choose(uid, key, documents[0]); f != nil {
		return f
	}
	for _, d := range documents {
		if f := i.check(d); f != nil {
			return f
		}
	}
	for _, d := range documents {
		id := d.Text(i.key)
		if i.documents[id] == nil {
			i.order = append(i.order, id)
		}
		i.documents[id] = d
	}
	i.updated = time.Now()
	return nil
}

// choose finds the primary key of an index that has none: the one that was asked
// for, or the only field that ends in id.
func (i *index) choose(uid, key string, first Document) *failure {
	var f failure
	switch {
	case i.key != "" && (key == "" || key == i.key):
		return nil
	case i.key != "":
		f = invalid("index_primary_key_already_exists", "Index `%s`: Index already has a primary key: `%s`.", uid, i.key)
		return &f
	case key != "":
		i.key = key
		return nil
	}
	var candidates []string
	for name := range first {
		if strings.HasSuffix(strings.ToLower(name), "id") {
			candidates = append(candidates, name)
		}
	}
	if len(candidates) != 1 {
		f = invalid("index_primary_key_multiple_candidates_found",
			"Index `%s`: The primary key inference failed as the engine found %d fields ending with `id` in their names.", uid, len(candidates))
		return &f
	}
	i.key = candidates[0]
	return nil
}

func (i *index) check(d Document) *failure {
	id, ok := d[i.key].(string)
	if !ok {
		f := invalid("missing_document_id", "Document doesn't have a `%s` attribute.", i.key)
		return &f
	}
	if !isIdentifier(id, 511) {
		f := invalid("invalid_document_id", "Document identifier `%q` is invalid.", id)
		return &f
	}
	return nil
}

// isIdentifier judges the id of a document or an index.
func isIdentifier(id string, longest int) bool {
	return id != "" && len(id) <= longest &&
		strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

func (s *Server) deleteDocuments(r *request) (int, any) {
	var ids []string
	if f, ok := r.decode(&ids); !ok {
		return http.StatusBadRequest, f
	}
	uid := r.PathValue("uid")
	return s.enqueue(&task{index: uid, kind: "documentDeletion", do: func() *failure {
		i := s.indexes[uid]
		if i == nil {
			f := noIndex(uid)
			return &f
		}
		for _, id := range ids {
			delete(i.documents, id)
		}
		i.order = slices.DeleteFunc(i.order, func(id string) bool { return i.documents[id] == nil })
		return nil
	}})
}

func (s *Server) fetchDocuments(r *request) (int, any) {
	wanted := struct {
		Offset, Limit int
		Fields        []string
		Filter        any
		IDs           []string
	}{Limit: 20}
	if f, ok := r.decode(&wanted); !ok {
		return http.StatusBadRequest, f
	}
	for n, id := range wanted.IDs {
		if !isIdentifier(id, 511) {
			return http.StatusBadRequest, invalid("invalid_document_ids", "In `.ids[%d]`: Document identifier `%q` is invalid.", n, id)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, f := s.find(r)
	if i == nil {
		return http.StatusNotFound, f
	}
	matches, problem := i.filter(wanted.Filter)
	if problem != "" {
		return http.StatusBadRequest, invalid("invalid_document_filter", "Index `%s`: %s", r.PathValue("uid"), problem)
	}
	found := []object{}
	for _, id := range i.order {
		if matches(i.documents[id]) && (wanted.IDs == nil || slices.Contains(wanted.IDs, id)) {
			found = append(found, i.documents[id].only(wanted.Fields))
		}
	}
	return http.StatusOK, object{
		"results": part(found, wanted.Offset, wanted.Limit), "offset": wanted.Offset, "limit": wanted.Limit, "total": len(found),
	}
}
