package server

import (
	"bytes"
	_ "embed"
	"html/template"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
)

//go:embed docs.html
var docsTemplate string

// docsPage renders both documents as one page that loads nothing from elsewhere.
func docsPage(api *huma.OpenAPI, async asyncDocument) []byte {
	page := docsView{Version: api.Info.Version, Schemas: schemaViews(api.Components.Schemas, async.schemas)}
	for _, path := range slices.Sorted(maps.Keys(api.Paths)) {
		item := api.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				page.Operations = append(page.Operations, viewOperation(op))
			}
		}
	}
	for _, r := range async.rows {
		page.Frames = append(page.Frames, viewFrame(async, r))
	}
	for _, code := range codes() {
		page.Codes = append(page.Codes, codeView{Code: code, Status: statusOf(code)})
	}
	page.linkable()
	var b bytes.Buffer
	if err := template.Must(template.New("docs").Funcs(template.FuncMap{"words": page.words}).Parse(docsTemplate)).Execute(&b, page); err != nil {
		panic("render the documentation: " + err.Error()) // only of our own types: a test would fail
	}
	return b.Bytes()
}

type docsView struct {
	known      map[string]bool // the types that the page describes
	Version    string
	Operations []operationView
	Frames     []frameView
	Codes      []codeView
	Schemas    []schemaView
}

func (v *docsView) linkable() {
	v.known = map[string]bool{}
	for _, s := range v.Schemas {
		v.known[s.Name] = true
	}
}

type wordView struct {
	Text string
	Link bool
}

// words splits the name of a type, such as "list of Chat", so that its parts can
// become links.
func (v *docsView) words(name string) (words []wordView) {
	for w := range strings.FieldsSeq(name) {
		words = append(words, wordView{Text: w, Link: v.known[w]})
	}
	return words
}

type operationView struct {
	ID, Method, Path, Summary string
	Open                      bool // no session needed
	Params                    []fieldView
	Body                      string
	Answers                   []answerView
}

type answerView struct{ Status, Type string }

type codeView struct {
	Code   chat.Code
	Status int
}

type frameView struct {
	Op, Summary, Payload, Answer string
	Command                      bool
}

type schemaView struct {
	Name   string
	Fields []fieldView
}

type fieldView struct {
	Name, In, Type, Doc string
	Required            bool
}

func viewOperation(op *huma.Operation) operationView {
	v := operationView{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Open: len(op.Security) == 0}
	for _, p := range op.Parameters {
		v.Params = append(v.Params, fieldView{Name: p.Name, In: p.In, Type: typeName(p.Schema), Doc: p.Description, Required: p.Required})
	}
	if op.RequestBody != nil {
		v.Body = contentType(op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if status != "default" {
			v.Answers = append(v.Answers, answerView{Status: status, Type: contentType(op.Responses[status].Content)})
		}
	}
	return v
}

func contentType(content map[string]*huma.MediaType) string {
	for kind, media := range content {
		if media.Schema == nil {
			return kind
		}
		return typeName(media.Schema)
	}
	return ""
}

func viewFrame(d asyncDocument, r frameRow) frameView {
	v := frameView{Op: r.op, Summary: r.summary, Payload: typeName(d.schema(r.d)), Command: r.kind == commandFrame}
	if v.Command {
		v.Answer = "ready"
		if r.answer != nil {
			v.Answer = typeName(d.schema(r.answer))
		}
	}
	return v
}

// schemaViews lists the objects of both documents by name; what both have is equal.
func schemaViews(registries ...huma.Registry) []schemaView {
	all := map[string]*huma.Schema{}
	for _, r := range registries {
		maps.Copy(all, r.Map())
	}
	var views []schemaView
	for _, name := range slices.Sorted(maps.Keys(all)) {
		views = append(views, schemaView{Name: name, Fields: viewFields(all[name])})
	}
	return views
}

func viewFields(s *huma.Schema) []fieldView {
	var fields []fieldView
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		fields = append(fields, fieldView{Name: name, Type: typeName(p), Doc: p.Description, Required: slices.Contains(s.Required, name)})
	}
	return fields
}

// typeName names a schema: by the name of its object, or a JSON type.
func typeName(s *huma.Schema) string {
	switch {
	case s == nil || reflect.ValueOf(*s).IsZero():
		return "any"
	case s.Ref != "":
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	case len(s.OneOf) > 0:
		var names []string
		for _, one := range s.OneOf {
			names = append(names, typeName(one))
		}
		return strings.Join(names, " or ")
	case len(s.Enum) > 0:
		var words []string
		for _, w := range s.Enum {
			if text, ok := w.(string); ok {
				words = append(words, text)
			}
		}
		return strings.Join(words, " | ")
	case s.Type == huma.TypeArray:
		return "list of " + typeName(s.Items)
	case s.Format == "date-time":
		return "time"
	case s.Type == "":
		return "any"
	}
	return s.Type
}
