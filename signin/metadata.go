package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/time/rate"

	"fechatter/chat"
)

const (
	// metadataFor is how long what a provider says about itself is believed, its keys
	// included: one that it has withdrawn is not believed for longer.
	metadataFor = time.Hour
	// retryAfter is how long a provider that could not be asked is not asked again.
	retryAfter = 2 * time.Second
	// keysEvery bounds how often keys are read again because a token names an unknown one,
	// which anybody can send.
	keysEvery, keysBurst = 20 * time.Second, 3
)

// provider is one identity provider, and what it said about itself last.
type provider struct {
	Settings

	redirect string
	client   *http.Client
	now      func() time.Time

	turn     chan struct{} // holds one token: who has it may read and write what follows
	metadata *metadata     // nil: not known yet
	failed   error         // of the last attempt
	failedAt time.Time
}

// metadata is what a provider says about itself. Nothing changes it.
type metadata struct {
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    oauth2.Config
	at       time.Time
}

func newProvider(s Settings, redirect string, client *http.Client, now func() time.Time) *provider {
	of := &provider{Settings: s, redirect: redirect, client: client, now: now, turn: make(chan struct{}, 1)}
	of.turn <- struct{}{}
	return of
}

// through has the libraries use the client.
func (of *provider) through(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, of.client)
}

// known returns what the provider says about itself, asking it at most once at a time.
// What is known is used while it cannot be asked again.
func (of *provider) known(ctx context.Context) (*metadata, error) {
	select {
	case <-of.turn:
		defer func() { of.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, of.down(ctx.Err())
	}
	now := of.now()
	if of.metadata != nil && now.Sub(of.metadata.at) < metadataFor {
		return of.metadata, nil
	}
	if of.failed == nil || now.Sub(of.failedAt) >= retryAfter {
		m, err := of.discover(ctx)
		if err == nil {
			of.metadata, of.failed = m, nil
			return m, nil
		}
		of.failed, of.failedAt = err, of.now()
	}
	if of.metadata != nil {
		return of.metadata, nil
	}
	return nil, of.down(of.failed)
}

// down is about a provider that cannot be asked.
func (of *provider) down(cause error) error {
	e := chat.Wrap(chat.Unavailable, cause, fmt.Sprintf("%s cannot be reached right now: try again later, or log in another way", of.Name))
	e.RetryAfter = retryAfter
	return e
}

// discover reads the configuration. The issuer in it must be the one of the settings.
func (of *provider) discover(ctx context.Context) (*metadata, error) {
	p, err := oidc.NewProvider(of.through(ctx), of.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discover %s: %w", of.Issuer, err)
	}
	var more struct {
		Keys        string   `json:"jwks_uri"`
		Algorithms  []string `json:"id_token_signing_alg_values_supported"`
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := p.Claims(&more); err != nil {
		return nil, fmt.Errorf("read the configuration of %s: %w", of.Issuer, err)
	}
	endpoint := p.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if of.ClientSecret == "" || len(more.AuthMethods) > 0 && !slices.Contains(more.AuthMethods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	keys := oidc.NewRemoteKeySet(oidc.ClientContext(context.WithoutCancel(ctx), sparing(of.client)), more.Keys)
	return &metadata{
		provider: p, at: of.now(),
		verifier: oidc.NewVerifier(of.Issuer, keys, &oidc.Config{ClientID: of.ClientID, SupportedSigningAlgs: algorithms(more.Algorithms),
			SkipExpiryCheck: true}), // see timely
		oauth: oauth2.Config{ClientID: of.ClientID, ClientSecret: of.ClientSecret, Endpoint: endpoint, RedirectURL: of.redirect,
			Scopes: append([]string{oidc.ScopeOpenID, "profile", "email"}, of.Scopes...)},
	}, nil
}

var errSpared = errors.New("the keys were read too often: an unknown key has to wait")

// sparing returns a client that asks for keys now and then.
func sparing(client *http.Client) *http.Client {
	spared := *client
	limit := rate.NewLimiter(rate.Every(keysEvery), keysBurst)
	next := client.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	spared.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		if !limit.Allow() {
			return nil, errSpared
		}
		return next.RoundTrip(r)
	})
	return &spared
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// failedTo tells a provider that is down from one that refuses.
func (of *provider) failedTo(what string, err error) error {
	err = fmt.Errorf("%s: %w", what, err)
	if answer, ok := errors.AsType[*oauth2.RetrieveError](err); ok && answer.Response.StatusCode < http.StatusInternalServerError {
		return refused(err)
	}
	return of.down(err)
}

// unverified tells keys that cannot be read from a token that is not good.
func (of *provider) unverified(err error) error {
	text := err.Error() // the library keeps no chain
	if strings.Contains(text, "fetching keys") && !strings.Contains(text, errSpared.Error()) {
		return of.down(err)
	}
	return refused(err)
}
