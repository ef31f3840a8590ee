package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"fechatter/chat"
)

// builder turns the rows of the table into a mux and its description.
type builder struct {
	server *Server
	mux    *http.ServeMux
	api    huma.API
}

// binding is how a row's handler gets into the mux.
type binding func(*builder, route)

// build makes the handler of everything and the documents about it.
func (s *Server) build(page http.Handler) http.Handler {
	b := &builder{server: s, mux: http.NewServeMux()}
	b.api = huma.NewAPI(s.apiConfig(), b)
	b.api.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) { next(&call{humaContext: ctx}) })
	for _, r := range s.routes() {
		r.handler(b, r)
	}
	s.documents = s.describe(b.api.OpenAPI())
	return s.observe(s.sameOrigin(s.dispatch(b.mux, page)))
}

// typed binds a handler that huma feeds and describes by its types. It has as long
// as a command on a WebSocket. Its errors become problems.
func typed[I, O any](fn func(context.Context, *I) (*O, error)) binding {
	return func(b *builder, r route) {
		huma.Register(b.api, b.operation(r), func(ctx context.Context, in *I) (*O, error) {
			bounded, cancel := context.WithTimeout(ctx, commandTimeout)
			defer cancel()
			out, err := fn(bounded, in)
			if err == nil {
				return out, nil
			}
			p := problemOf(err)
			if p.Status >= http.StatusInternalServerError {
				noteCause(ctx, err)
			}
			return nil, p
		})
	}
}

// plain binds a handler that writes its answer itself and is in no document.
func plain(h http.Handler) binding {
	return func(b *builder, r route) {
		b.mux.Handle(r.method+" "+r.path, b.server.guard(r.access, false, b.server.budgets.of(r.method, r.path), h))
	}
}

// stream binds a handler of server-sent events, which the document names.
func stream(h http.Handler) binding {
	return func(b *builder, r route) {
		plain(h)(b, r)
		op := b.operation(r)
		op.Responses["200"] = &huma.Response{Description: "events", Content: map[string]*huma.MediaType{"text/event-stream": {}}}
		b.api.OpenAPI().AddOperation(&op)
	}
}

// Handle and ServeHTTP make the builder huma's adapter to the mux.
func (b *builder) Handle(op *huma.Operation, handler func(huma.Context)) {
	asks, _ := op.Metadata["access"].(access)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler(humago.NewContext(op, r, w)) })
	b.mux.Handle(op.Method+" "+op.Path, b.server.guard(asks, op.RequestBody != nil, b.server.budgets.of(op.Method, op.Path), h))
}

// ServeHTTP serves what was registered.
func (b *builder) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.mux.ServeHTTP(w, r) }

// call is huma's view of one request. What huma refuses itself, it would answer
// with its own statuses; the contract has others.
type call struct {
	humaContext
	status int // instead of huma's, or 0
}

// humaContext is embedded under a name that its own method Context leaves free.
type humaContext huma.Context

// SetStatus implements huma.Context.
func (c *call) SetStatus(status int) {
	if c.status != 0 {
		status = c.status
	}
	c.humaContext.SetStatus(status)
}

// refusals turns huma's own errors into problems. It is a huma.Transformer.
func refusals(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := newProblem(http.StatusBadRequest, chat.BadRequest, refusalDetail(m))
	if c, ok := ctx.(*call); ok {
		c.status = p.Status
	}
	return p, nil
}

func refusalDetail(m *huma.ErrorModel) string {
	if len(m.Errors) == 0 {
		return m.Detail
	}
	first := m.Errors[0]
	if where, name, ok := strings.Cut(first.Location, "."); ok && where != "body" {
		return name + ": " + first.Message
	}
	return first.Message
}

// strictJSON is the one format of bodies, both ways.
func strictJSON() huma.Format {
	return huma.Format{
		Marshal: func(w io.Writer, v any) error {
			data, err := encode(v)
			if err != nil {
				return err
			}
			// An error here is the client's going away; there is nobody left to tell.
			_, _ = w.Write(data)
			return nil
		},
		Unmarshal: func(data []byte, v any) error {
			if err := decodeStrict(data, v); err != nil {
				return errors.New(problemOf(err).Detail) // huma keeps the text only
			}
			return nil
		},
	}
}
