package server

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
)

// IDInput and the inputs below are exported because huma looks into no others
// when they are embedded.
type IDInput struct {
	ID string `path:"id"`
}

// PageInput is where a list goes on.
type PageInput struct {
	After string `query:"after" doc:"next of the page before"`
	LimitInput
}

// LimitInput is how much of a list to give.
type LimitInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (p PageInput) page() chat.Page { return chat.Page{After: p.After, Limit: p.Limit} }

// seqParam is a seq in the query that may be missing.
type seqParam struct {
	value int64
	set   bool
}

// Schema, Receiver and OnParamSet are how huma describes, fills and reports it.
func (p seqParam) Schema(r huma.Registry) *huma.Schema {
	return huma.SchemaFromType(r, reflect.TypeFor[int64]())
}

// Receiver gives what huma parses into.
func (p *seqParam) Receiver() reflect.Value { return reflect.ValueOf(&p.value).Elem() }

// OnParamSet is told whether the parameter was there.
func (p *seqParam) OnParamSet(isSet bool, _ any) { p.set = isSet }

func (p seqParam) pointer() *int64 {
	if !p.set {
		return nil
	}
	return &p.value
}

// list makes a list that is never null.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}
