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

// What a WebSocket closes for instead of answering. Each is the cause of a
// *chat.Error that decodeStrict returns.
var (
	errNotUTF8   = errors.New("invalid UTF-8")
	errNotJSON   = errors.New("not JSON")
	errNotObject = errors.New("not a JSON object")
)

// decodeStrict reads one JSON object into the struct that v points to. It refuses
// all that the contract refuses, and then leaves v untouched. Names match exactly,
// case included; unknown ones are ignored; null counts as absent; a field tagged
// required:"true" must be present. The error is a *chat.Error (bad_request).
func decodeStrict(data []byte, v any) error {
	return formOf(reflect.TypeOf(v).Elem()).decodeStrict(data, v)
}

// decodeStrict is the function of that name for a struct whose form is known.
func (f form) decodeStrict(data []byte, v any) error {
	switch {
	case !utf8.Valid(data):
		return chat.Wrap(chat.BadRequest, errNotUTF8, "invalid UTF-8")
	case !json.Valid(data):
		return chat.Wrap(chat.BadRequest, errNotJSON, "not JSON")
	}
	return f.decodeValid(data, v)
}

// decodeValid is decodeStrict for what is known to be UTF-8 and JSON.
func (f form) decodeValid(data []byte, v any) error {
	if bytes.TrimLeft(data, jsonSpace)[0] != '{' {
		return chat.Wrap(chat.BadRequest, errNotObject, "not a JSON object")
	}
	var room [12]member
	s := scanner{data: data, members: room[:0]}
	if err := s.scan(); err != nil {
		return err
	}
	target := reflect.ValueOf(v).Elem()
	decoded := reflect.New(target.Type()).Elem()
	if err := f.decodeMembers(s.members, decoded); err != nil {
		return err
	}
	target.Set(decoded)
	return nil
}

// decodeMembers does what encoding/json does for a struct, but by exact names.
// Request types are flat: fields that are structs are left to encoding/json.
func (f form) decodeMembers(members []member, target reflect.Value) error {
	for _, f := range f {
		raw := f.find(members)
		if raw == nil || string(raw) == "null" {
			if f.required {
				return chat.Errorf(chat.BadRequest, "%s is required", f.name)
			}
			continue
		}
		if err := f.decode(raw, target.Field(f.index)); err != nil {
			return wrongType(f.name, err)
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

// idOf returns the id of a command that decodeStrict refused, nil if it cannot be
// read: the answer must name the command that it refuses.
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
