package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"fechatter/chat"
)

const (
	fetchEvery   = 5 * time.Minute // while nobody asks for a key that is not there
	fetchAgain   = time.Minute     // at least between two fetches
	keysLast     = time.Hour       // after the last fetch that worked
	fetchTimeout = 5 * time.Second
	fetchWait    = 3 * time.Second // of a token whose key is not there yet
	maxJWKSBytes = 256 << 10
	maxJWKSKeys  = 100
)

// fetched are the keys at an address.
type fetched struct {
	url    string
	client *http.Client
	now    func() time.Time
	wake   chan struct{}

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	changes int
	tried   time.Time
	got     time.Time
	err     error         // of the last fetch
	ended   chan struct{} // closed at the end of the next fetch
}

func newFetched(url string, client *http.Client, now func() time.Time) *fetched {
	return &fetched{url: url, client: client, now: now, wake: make(chan struct{}, 1), ended: make(chan struct{})}
}

func (f *fetched) algorithms() []jose.SignatureAlgorithm { return publicAlgorithms() }

func (f *fetched) generation() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.trusted() {
		return -1
	}
	return f.changes
}

// trusted reports whether the keys are fresh enough. The caller holds mu.
func (f *fetched) trusted() bool { return !f.got.IsZero() && f.now().Sub(f.got) < keysLast }

// run fetches the keys at once, then now and then, and when a token names one that is not there.
func (f *fetched) run(ctx context.Context) {
	for ctx.Err() == nil {
		f.fetch(ctx)
		f.pause(ctx)
	}
}

// pause waits until the next fetch is due.
func (f *fetched) pause(ctx context.Context) {
	least := time.NewTimer(fetchAgain)
	defer least.Stop()
	select {
	case <-ctx.Done():
		return
	case <-least.C:
	}
	f.mu.Lock()
	failed := f.err != nil
	f.mu.Unlock()
	if failed {
		return
	}
	most := time.NewTimer(fetchEvery - fetchAgain)
	defer most.Stop()
	select {
	case <-ctx.Done():
	case <-most.C:
	case <-f.wake:
	}
}

func (f *fetched) fetch(ctx context.Context) {
	keys, err := f.read(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tried, f.err = f.now(), err; err == nil {
		f.got = f.tried
		if !sameKeys(f.keys, keys) {
			f.keys = keys
			f.changes++
		}
	}
	close(f.ended)
	f.ended = make(chan struct{})
	select {
	case <-f.wake: // who has asked meanwhile gets this answer
	default:
	}
}

func (f *fetched) read(ctx context.Context) ([]jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := f.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", answer.Status)
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxJWKSBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxJWKSBytes {
		return nil, fmt.Errorf("the answer is larger than %d bytes", maxJWKSBytes)
	}
	return parseJWKS(data)
}

// parseJWKS reads those keys of a set that sign and can be used; what else is in it, secrets
// too, is passed over, as RFC 7517 says.
func parseJWKS(data []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("read the key set: %w", err)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys[:min(len(set.Keys), maxJWKSKeys)] {
		var k jose.JSONWebKey
		if err := k.UnmarshalJSON(raw); err == nil && (k.Use == "" || k.Use == "sig") && usable(k.Key) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("the key set has none that can be used, of %d", len(set.Keys))
	}
	return keys, nil
}

func sameKeys(a, b []jose.JSONWebKey) bool {
	return slices.EqualFunc(a, b, func(x, y jose.JSONWebKey) bool {
		p, errP := x.MarshalJSON()
		q, errQ := y.MarshalJSON()
		return errP == nil && errQ == nil && string(p) == string(q)
	})
}

// find implements keySource. A token that names a key that is not there waits for the next
// fetch, if one may be made.
func (f *fetched) find(ctx context.Context, id string, a jose.SignatureAlgorithm) ([]any, int, error) {
	keys, generation, ended := f.known(id, a)
	if len(keys) == 0 && ended != nil {
		select {
		case f.wake <- struct{}{}:
		default:
		}
		wait, cancel := context.WithTimeout(ctx, fetchWait)
		defer cancel()
		select {
		case <-ended:
		case <-wait.Done():
		}
		keys, generation, _ = f.known(id, a)
	}
	switch {
	case generation < 0:
		return nil, 0, chat.Errorf(chat.Unavailable, "the keys of the issuer of this token cannot be read right now")
	case len(keys) == 0:
		return nil, 0, refusal(fmt.Errorf("key %q", id), "this token is not signed by a key of its issuer")
	}
	return keys, generation, nil
}

// known returns the keys that are there. Without an id it must be the only one that fits.
// ended is nil if it is too soon for another fetch.
func (f *fetched) known(id string, a jose.SignatureAlgorithm) (keys []any, generation int, ended <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tried.IsZero() || f.now().Sub(f.tried) >= fetchAgain {
		ended = f.ended
	}
	if !f.trusted() {
		return nil, -1, ended
	}
	for _, k := range f.keys {
		if (id == "" || k.KeyID == id) && (k.Algorithm == "" || k.Algorithm == string(a)) && fits(k.Key, a) {
			keys = append(keys, k.Key)
		}
	}
	if id == "" && len(keys) != 1 {
		keys = nil
	}
	return keys, f.changes, ended
}
