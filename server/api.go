package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"fechatter/chat"
	"fechatter/door"
)

// builder turns the rows of the table into a mux and its documents.
type builder struct {
	server *Server
	mux    *http.ServeMux
	api    huma.API
}

// binding puts a row's handler into the mux.
type binding func(*builder, route)

// build returns the handler of everything, and makes the documents about it.
func (s *Server) build(page http.Handler) http.Handler {
	b := &builder{server: s, mux: http.NewServeMux()}
	b.api = huma.NewAPI(s.apiConfig(), b)
	b.api.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) { next(&call{humaContext: ctx}) })
	routes := s.routes()
	for _, r := range routes {
		r.handler(b, r)
	}
	s.mux, s.batchable = b.mux, batchable(routes)
	s.documents = s.describe(b.api.OpenAPI())
	return door.Handler(s.observe(s.shared(s.crowded(s.ownHost(s.sameOrigin(s.dispatch(b.mux, page)))))))
}

// batchable returns the patterns that a batch may use: those that know who asks, and neither
// stream nor are batches themselves.
func batchable(routes []route) map[string]bool {
	patterns := map[string]bool{}
	for _, r := range routes {
		patterns[r.method+" "+muxPath(r.path)] = r.access.identified() && r.path != adminPath+"/batch"
	}
	return patterns
}

// typed binds a handler that huma calls and describes by its types. It has as much
// time as a command on a WebSocket. Its errors become problems.
func typed[I, O any](fn func(context.Context, *I) (*O, error)) binding {
	return typedFor(commandTimeout, fn)
}

// typedFor is typed for a handler that has more time.
func typedFor[I, O any](most time.Duration, fn func(context.Context, *I) (*O, error)) binding {
	return func(b *builder, r route) {
		huma.Register(b.api, b.operation(r), func(ctx context.Context, in *I) (*O, error) {
			bounded, cancel := context.WithTimeout(ctx, most)
			defer cancel()
			out, err := fn(bounded, in)
			if err == nil {
				return out, nil
			}
			b.server.noteRefusal(callerOf(ctx), r.path, err)
			p := problemOf(err)
			if p.Status >= http.StatusInternalServerError {
				noteCause(ctx, err)
			}
			return nil, p
		})
	}
}

// plain binds a handler that writes its own answer and appears in no document.
func plain(h http.Handler) binding {
	return func(b *builder, r route) {
		b.mux.Handle(r.method+" "+r.path, b.server.guard(r, false, h))
	}
}

// stream binds a handler of server-sent events, which the document lists.
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
	r, _ := op.Metadata["route"].(route)
	h := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { handler(humago.NewContext(op, req, w)) })
	b.mux.Handle(op.Method+" "+muxPath(op.Path), b.server.guard(r, op.RequestBody != nil, h))
}

// ServeHTTP serves what was registered.
func (b *builder) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.mux.ServeHTTP(w, r) }

// call is huma's view of one request. Huma would answer what it refuses itself with
// statuses of its own; the contract has others.
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
			// An error here means that the client has gone; nobody is left to tell.
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
