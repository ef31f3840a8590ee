package server

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
)

// apiConfig configures huma without its defaults: no pages of its own, one format.
func (s *Server) apiConfig() huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	registry.RegisterTypeAlias(reflect.TypeFor[chat.Time](), reflect.TypeFor[time.Time]())
	registry.RegisterTypeAlias(reflect.TypeFor[chat.Kind](), reflect.TypeFor[kindSchema]())
	registry.RegisterTypeAlias(reflect.TypeFor[chat.Role](), reflect.TypeFor[roleSchema]())
	registry.RegisterTypeAlias(reflect.TypeFor[chat.Code](), reflect.TypeFor[codeSchema]())
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Fechatter", Version: s.cfg.Version,
				Description: "Chats over REST. Live events come over the WebSocket at /ws (see /asyncapi.json) or by GET /api/v1/events."},
			Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer"},
				"cookie": {Type: "apiKey", In: "cookie", Name: sessionCookie},
			}},
		},
		// "json" is how huma looks up the +json of a problem's type.
		Formats:       map[string]huma.Format{"application/json": strictJSON(), "json": strictJSON()},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{refusals},
	}
	config.AllowAdditionalPropertiesByDefault = true // unknown fields are ignored, by both sides
	return config
}

// operation describes a row. The guard has read the body by the time huma runs, and
// the strict decoder validates it: huma must do neither.
func (b *builder) operation(r route) huma.Operation {
	op := huma.Operation{
		Method: r.method, Path: r.path, OperationID: operationID(r), Summary: r.summary, DefaultStatus: r.status,
		Metadata:         map[string]any{"route": r},
		Responses:        map[string]*huma.Response{"default": b.problemResponse()},
		SkipValidateBody: true, MaxBodyBytes: -1, BodyReadTimeout: -1,
	}
	if r.status == 0 {
		op.DefaultStatus = 0
	}
	if r.access != anyone {
		op.Security = []map[string][]string{{"bearer": {}}, {"cookie": {}}}
	}
	return op
}

func (b *builder) problemResponse() *huma.Response {
	schema := b.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
	return &huma.Response{Description: "A problem (RFC 9457)", Content: map[string]*huma.MediaType{problemType: {Schema: schema}}}
}

// operationID names an operation by its method and path: get-chats-id-members.
func operationID(r route) string {
	path := strings.NewReplacer("{", "", "}", "", "_", "-", "/", "-").Replace(strings.TrimPrefix(r.path, v1))
	return strings.ToLower(r.method) + path
}

// documents describe the server, and are made once.
type documents struct {
	openapi, asyncapi, page []byte
}

func (s *Server) describe(api *huma.OpenAPI) documents {
	tidy(api)
	openapi, err := encode(api)
	if err != nil {
		panic("describe the API: " + err.Error()) // only of our own types: a test would fail
	}
	async := s.asyncAPI()
	return documents{openapi: openapi, asyncapi: async.encode(), page: docsPage(api, async)}
}

// tidy corrects what huma adds by default and the contract does not have.
func tidy(api *huma.OpenAPI) {
	schemas := api.Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	for _, schema := range schemas {
		for _, property := range schema.Properties {
			if property.Type == huma.TypeArray {
				property.Nullable = false
			}
		}
	}
	for _, path := range []string{"/chats", "/chats/{id}/members", "/chats/{id}/messages"} {
		answers := api.Paths[v1+path].Post.Responses
		again := *answers[strconv.Itoa(http.StatusCreated)]
		again.Description = "It already exists"
		answers[strconv.Itoa(http.StatusOK)] = &again
	}
}

func (s *Server) serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	serveDocument(w, "application/json", s.documents.openapi)
}

func (s *Server) serveAsyncAPI(w http.ResponseWriter, _ *http.Request) {
	serveDocument(w, "application/json", s.documents.asyncapi)
}

func (s *Server) serveDocs(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	serveDocument(w, "text/html; charset=utf-8", s.documents.page)
}

func serveDocument(w http.ResponseWriter, kind string, data []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	// An error here means that the client has gone; nobody is left to tell.
	_, _ = w.Write(data)
}

// kindSchema, roleSchema and codeSchema list the values of the domain's types.
type (
	kindSchema string
	roleSchema string
	codeSchema string
)

// Schema lists the kinds of chats.
func (kindSchema) Schema(huma.Registry) *huma.Schema {
	return words(chat.Direct, chat.Group, chat.Private, chat.Public)
}

// Schema lists the roles.
func (roleSchema) Schema(huma.Registry) *huma.Schema {
	return words(chat.RoleOwner, chat.RoleAdmin, chat.RoleMember)
}

// Schema lists the codes of problems.
func (codeSchema) Schema(huma.Registry) *huma.Schema {
	return words(codes()...)
}

// codes lists the codes of problems in the order of their statuses.
func codes() []chat.Code {
	return []chat.Code{chat.BadRequest, chat.Unauthenticated, chat.SecondFactor, chat.Forbidden, chat.NotFound, chat.Conflict, chat.TooLarge,
		chat.KeyReused, chat.RateLimited, chat.Internal, chat.Unavailable, chat.Overloaded, chat.UnknownOutcome}
}

func words[T ~string](all ...T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, w := range all {
		s.Enum = append(s.Enum, string(w))
	}
	return s
}
