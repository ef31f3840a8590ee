package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"fechatter/chat"
	"fechatter/security"
)

const (
	// flowCookie begins the name of what a browser keeps while somebody is at a provider;
	// the state follows, so that two windows do not disturb each other.
	flowCookie = "fechatter_signin_"
	flowFor    = 10 * time.Minute
	flowState  = 16 // characters of the state in the name
	useFlow    = "sign-in flow"
	// maxReturnTo bounds an address of the page, in bytes.
	maxReturnTo = 2000
	// maxFarewell bounds the body of a provider's word, in bytes.
	maxFarewell = 64 << 10
)

// Providers are the identity providers. What they refuse are *chat.Errors.
type Providers interface {
	List() []chat.Provider
	// Begin returns the provider's address for a browser, and what to keep meanwhile.
	Begin(ctx context.Context, id string) (address string, flow chat.Flow, err error)
	// Finish returns who somebody is, by what the provider's redirect brought.
	Finish(ctx context.Context, id string, flow chat.Flow, query url.Values) (chat.Identity, error)
	LoggedOut(ctx context.Context, id, token string) (chat.Farewell, error)
}

type noProviders struct{}

func (noProviders) List() []chat.Provider { return nil }

func (noProviders) Begin(context.Context, string) (string, chat.Flow, error) {
	return "", chat.Flow{}, chat.Errorf(chat.NotFound, "there is no such provider")
}

func (n noProviders) Finish(ctx context.Context, id string, _ chat.Flow, _ url.Values) (chat.Identity, error) {
	_, _, err := n.Begin(ctx, id)
	return chat.Identity{}, err
}

func (n noProviders) LoggedOut(ctx context.Context, id, _ string) (chat.Farewell, error) {
	_, _, err := n.Begin(ctx, id)
	return chat.Farewell{}, err
}

// redirectOutput sends a browser somewhere else.
type redirectOutput struct {
	Location  string   `header:"Location"`
	SetCookie []string `header:"Set-Cookie"`
}

type beginProviderInput struct {
	Provider string `path:"provider"`
	ReturnTo string `query:"return_to" doc:"a path of the page to come back to; default /"`
	Device   string `query:"device" doc:"the session's name in the list of sessions"`
	Accept   string `header:"Accept"`
}

func (s *Server) beginProvider(ctx context.Context, in *beginProviderInput) (*redirectOutput, error) {
	out, err := s.sendAway(ctx, in)
	if err != nil {
		return s.backToPage(ctx, "/auth/{provider}", in.Accept, err)
	}
	return out, nil
}

func (s *Server) sendAway(ctx context.Context, in *beginProviderInput) (*redirectOutput, error) {
	to, err := ownPath(in.ReturnTo)
	if err != nil {
		return nil, err
	}
	address, flow, err := s.providers.Begin(ctx, in.Provider)
	if err != nil {
		return nil, err
	}
	flow.ReturnTo, flow.Device = to, in.Device
	cookie, err := s.keepFlow(in.Provider, flow)
	return &redirectOutput{Location: address, SetCookie: []string{cookie}}, err
}

// ownPath accepts a path of this server, and nothing that a browser would take for the
// address of another one.
func ownPath(to string) (string, error) {
	if to == "" {
		return "/", nil
	}
	u, err := url.Parse(to)
	odd := strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f })
	if err != nil || odd || len(to) > maxReturnTo || u.Scheme != "" || u.Host != "" || u.User != nil || to[0] != '/' || strings.HasPrefix(to, "//") {
		return "", chat.Errorf(chat.BadRequest, "return_to must be a path of this server")
	}
	return to, nil
}

// keepFlow returns the cookie for a flow: readable for this server alone, and by its name
// under https not to be set by any other one.
func (s *Server) keepFlow(provider string, flow chat.Flow) (string, error) {
	text, err := json.Marshal(flow)
	if err != nil {
		return "", err
	}
	return s.flowCookie(flow.State, s.chat.Seal(useFlow, provider, text), flowFor), nil
}

func (s *Server) flowName(state string) string {
	name := flowCookie + state[:min(len(state), flowState)]
	if s.origins.secure() {
		name = "__Host-" + name
	}
	return name
}

func (s *Server) flowCookie(state, value string, life time.Duration) string {
	c := http.Cookie{Name: s.flowName(state), Value: value, Path: "/", HttpOnly: true, Secure: s.origins.secure(), //nolint:gosec // a site on plain HTTP has no Secure cookies
		SameSite: http.SameSiteLaxMode, MaxAge: int(life / time.Second)}
	if value == "" {
		c.MaxAge = -1
	}
	return c.String()
}

// flow returns what a browser has kept for a state.
func (s *Server) flow(provider, state string, cookies []*http.Cookie) (f chat.Flow, ok bool) {
	if len(state) < flowState {
		return f, false
	}
	for _, c := range cookies {
		if c.Name != s.flowName(state) {
			continue
		}
		text, err := s.chat.Unseal(useFlow, provider, c.Value)
		if err == nil && json.Unmarshal(text, &f) == nil && f.State == state {
			return f, true
		}
	}
	return chat.Flow{}, false
}

type finishProviderInput struct {
	Provider string `path:"provider"`
	Accept   string `header:"Accept"`

	query   url.Values
	cookies []*http.Cookie
}

// Resolve reads what huma does not: providers send more than is described.
func (in *finishProviderInput) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	in.query = u.Query()
	in.cookies, _ = http.ParseCookie(ctx.Header("Cookie"))
	return nil
}

func (s *Server) finishProvider(ctx context.Context, in *finishProviderInput) (*redirectOutput, error) {
	out, err := s.comeBack(ctx, in)
	if err != nil {
		return s.backToPage(ctx, "/auth/{provider}/callback", in.Accept, err)
	}
	return out, nil
}

func (s *Server) comeBack(ctx context.Context, in *finishProviderInput) (*redirectOutput, error) {
	c := callerOf(ctx)
	if err := s.rates.logins.charge(c.from); err != nil {
		return nil, err
	}
	state := in.query.Get("state")
	flow, ok := s.flow(in.Provider, state, in.cookies)
	if !ok {
		s.note(c, security.Entry{Event: security.ProviderRefused, Detail: "no flow of this browser"})
		return nil, chat.Errorf(chat.Unauthenticated, "this log-in was not begun in this browser, or took too long: begin again")
	}
	id, err := s.providers.Finish(ctx, in.Provider, flow, in.query)
	var a chat.Arrival
	if err == nil {
		a, err = s.chat.LogInByProvider(ctx, id, flow.Device)
	}
	s.noteArrival(c, in.Provider, a, err)
	if err != nil {
		return nil, err
	}
	cookies := append(s.loggedIn(ctx, a.Login).SetCookie, s.flowCookie(state, "", 0))
	return &redirectOutput{Location: flow.ReturnTo, SetCookie: cookies}, nil
}

// noteArrival writes what a log-in by a provider did.
func (s *Server) noteArrival(c caller, provider string, a chat.Arrival, err error) {
	id := a.User.ID
	if code := chat.CodeOf(err); code == chat.Unauthenticated || code == chat.Forbidden {
		s.note(c, security.Entry{Event: security.ProviderRefused, User: id, Detail: provider})
	}
	for _, what := range []struct {
		did bool
		security.Entry
	}{
		{a.Created, security.Entry{Event: security.SignedUp, User: id}},
		{a.Linked, security.Entry{Event: security.IdentityLinked, User: id, Detail: provider}},
		{a.Appointed, security.Entry{Event: security.Appointed, User: security.Operator, Subject: id}},
		{a.Dismissed, security.Entry{Event: security.Dismissed, User: security.Operator, Subject: id}},
	} {
		if what.did {
			s.note(c, what.Entry)
		}
	}
}

// backToPage shows a browser the page, with what went wrong in the fragment, which reaches
// no log. Programs get the problem.
func (s *Server) backToPage(ctx context.Context, path, accept string, err error) (*redirectOutput, error) {
	if !strings.Contains(accept, "text/html") {
		return nil, err
	}
	p := problemOf(err)
	s.noteRefusal(callerOf(ctx), path, err)
	if p.Status >= http.StatusInternalServerError {
		noteCause(ctx, err)
	}
	return &redirectOutput{Location: "/#" + url.Values{"sign_in_error": {string(p.Code)}}.Encode()}, nil
}

// farewell is the back-channel logout of a provider, which is no browser: it sends a form,
// and believes 200.
func (s *Server) farewell(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), commandTimeout)
	defer cancel()
	c, provider := callerOf(ctx), r.PathValue("provider")
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // only in tests has a connection no deadlines
	r.Body = http.MaxBytesReader(w, r.Body, maxFarewell)
	token := r.PostFormValue("logout_token")
	var f chat.Farewell
	err := error(chat.Errorf(chat.BadRequest, "logout_token is required, in a form"))
	if token != "" {
		f, err = s.providers.LoggedOut(ctx, provider, token)
	}
	var users []string
	n := 0
	if err == nil {
		if users, n, err = s.chat.LogOutByProvider(ctx, f); chat.CodeOf(err) == chat.Conflict {
			err = chat.Wrap(chat.BadRequest, err, "logout_token: this was said before")
		}
	}
	for _, id := range users {
		s.note(c, security.Entry{Event: security.ProviderLogOut, Subject: id, Detail: provider + " " + strconv.Itoa(n)})
	}
	if err != nil {
		if chat.CodeOf(err) == chat.BadRequest {
			s.note(c, security.Entry{Event: security.ProviderRefused, Detail: provider + " logout"})
		}
		refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// formed binds a handler that takes a form and writes its own answer.
func formed(h http.HandlerFunc) binding {
	return func(b *builder, r route) {
		plain(h)(b, r)
		op := b.operation(r)
		op.Parameters = []*huma.Param{{Name: "provider", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": {
			Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"logout_token"}, Properties: map[string]*huma.Schema{"logout_token": {Type: huma.TypeString}}}}}}
		op.Responses["200"] = &huma.Response{Description: "Done"}
		b.api.OpenAPI().AddOperation(&op)
	}
}
