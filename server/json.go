package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"fechatter/chat"
)

// What a WebSocket closes for instead of answering; each is the cause of the
// *chat.Error that decodeStrict gives.
var (
	errNotUTF8   = errors.New("invalid UTF-8")
	errNotJSON   = errors.New("not JSON")
	errNotObject = errors.New("not a JSON object")
)

// decodeStrict reads one JSON object into the struct that v points to, and
// refuses all that PROTOCOL §3 refuses: v is then untouched. Names match in their
// case only; unknown ones are ignored; null counts as absent; a field tagged
// required:"true" must be there. The error is a *chat.Error (bad_request).
func decodeStrict(data []byte, v any) error {
	switch {
	case !utf8.Valid(data):
		return chat.Wrap(chat.BadRequest, errNotUTF8, "this is not valid UTF-8")
	case !json.Valid(data):
		return chat.Wrap(chat.BadRequest, errNotJSON, "this is not JSON")
	case bytes.TrimLeft(data, jsonSpace)[0] != '{':
		return chat.Wrap(chat.BadRequest, errNotObject, "this is not a JSON object")
	}
	fields := map[string]json.RawMessage{}
	s := scanner{data: data, member: func(name string, value []byte) { fields[name] = value }}
	if err := s.scan(); err != nil {
		return err
	}
	target := reflect.ValueOf(v).Elem()
	decoded := reflect.New(target.Type()).Elem()
	if err := decodeFields(fields, decoded); err != nil {
		return err
	}
	target.Set(decoded)
	return nil
}

// decodeFields does what encoding/json does for a struct, but by exact names.
// Request types are flat: a field that is a struct itself is left to encoding/json.
func decodeFields(fields map[string]json.RawMessage, target reflect.Value) error {
	for i := range target.NumField() {
		field := target.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		raw, ok := fields[name]
		if !ok || string(raw) == "null" {
			if field.Tag.Get("required") == "true" {
				return chat.Errorf(chat.BadRequest, "%s is required", name)
			}
			continue
		}
		if err := json.Unmarshal(raw, target.Field(i).Addr().Interface()); err != nil {
			return wrongType(name, err)
		}
	}
	return nil
}

func wrongType(name string, cause error) error {
	detail := fmt.Sprintf("%s has the wrong type", name)
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](cause); ok {
		detail = fmt.Sprintf("%s must be %s", name, jsonType(mismatch.Type))
	}
	return chat.Wrap(chat.BadRequest, cause, detail)
}

func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// idOf gives the id of a command that decodeStrict refused, as far as it can be
// read: its answer must say which command it refuses.
func idOf(data []byte) *string {
	var loose map[string]json.RawMessage
	var id string
	if json.Unmarshal(data, &loose) != nil || json.Unmarshal(loose["id"], &id) != nil {
		return nil
	}
	if id == "" || utf8.RuneCountInString(id) > maxCommandID || strings.ContainsAny(id, "\x00\ufffd") {
		return nil
	}
	return &id
}
