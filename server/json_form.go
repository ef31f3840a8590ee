package server

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
)

// field is one of a struct that a request is read into.
type field struct {
	index          int
	name           string
	required       bool
	isText, isJSON bool // it can be set without encoding/json
}

// form is the fields of such a struct.
type form []field

func formOf(t reflect.Type) form {
	var fields form
	for i := range t.NumField() {
		f := t.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			fields = append(fields, field{i, name, f.Tag.Get("required") == "true", isText(f.Type), f.Type == reflect.TypeFor[json.RawMessage]()})
		}
	}
	return fields
}

// isText reports whether a type is a string that reads no JSON of its own.
func isText(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t.Kind() == reflect.String && !p.Implements(reflect.TypeFor[json.Unmarshaler]()) && !p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// find returns the value of the field's member, nil if there is none.
func (f *field) find(members []member) []byte {
	for i := range members {
		if string(members[i].name) == f.name {
			return members[i].value
		}
	}
	return nil
}

// decode sets a field. A string without escapes is what it says.
func (f *field) decode(raw []byte, at reflect.Value) error {
	switch {
	case f.isText && raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0:
		at.SetString(string(raw[1 : len(raw)-1]))
		return nil
	case f.isJSON:
		at.SetBytes(bytes.Clone(raw))
		return nil
	}
	return json.Unmarshal(raw, at.Addr().Interface())
}
