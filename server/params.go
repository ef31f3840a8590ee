package server

import (
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
)

// IDInput and the inputs below are exported because huma ignores embedded types
// that are not.
type IDInput struct {
	ID string `path:"id"`
}

// PageInput selects a page of a list.
type PageInput struct {
	After string `query:"after" doc:"next of the previous page"`
	LimitInput
}

// LimitInput bounds the length of a page.
type LimitInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (p PageInput) page() chat.Page { return chat.Page{After: p.After, Limit: p.Limit} }

// seqParam is an optional seq in the query.
type seqParam struct {
	value int64
	set   bool
}

// Schema, Receiver and OnParamSet let huma describe, fill and report it.
func (p seqParam) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[int64]())
}

// Receiver returns what huma parses into.
func (p *seqParam) Receiver() reflect.Value { return reflect.ValueOf(&p.value).Elem() }

// OnParamSet notes whether the parameter was present.
func (p *seqParam) OnParamSet(isSet bool, _ any) { p.set = isSet }

func (p seqParam) pointer() *int64 {
	if !p.set {
		return nil
	}
	return &p.value
}

// refuseEmpty refuses a list in the query with an empty value, which huma takes for no list
// if it is the first.
func refuseEmpty(ctx huma.Context, name string) []error {
	u := ctx.URL()
	if slices.Contains(u.Query()[name], "") {
		return []error{&huma.ErrorDetail{Location: "query." + name, Message: "must not be empty"}}
	}
	return nil
}

// list returns items as a list that JSON never shows as null.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
