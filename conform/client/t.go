package client

import (
	"context"
	"net/http"
	"time"
)

// T is where a client reports its failures: a *testing.T, or a program's own.
// Fatalf does not return. Errorf may be called by any goroutine until the
// functions given to Cleanup have run; the rest is for the test's own.
//
// A T may choose how long a client waits for what must come, with a method
// Patience() time.Duration, and over which connections it asks, with a method
// HTTP() *http.Client.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(f func())
	Context() context.Context // ends before the cleanup
}

// patience bounds a hang; it measures no speed.
const patience = 30 * time.Second

func patienceOf(t T) time.Duration {
	if own, ok := t.(interface{ Patience() time.Duration }); ok {
		return own.Patience()
	}
	return patience
}

// httpOf shares no connections unless t does: no test must fail because a server that
// it has stopped closed the connection that would be used next.
func httpOf(t T) *http.Client {
	if own, ok := t.(interface{ HTTP() *http.Client }); ok {
		return own.HTTP()
	}
	return &http.Client{CheckRedirect: KeepRedirects, Transport: &http.Transport{DisableKeepAlives: true}}
}

// KeepRedirects is for the CheckRedirect of a client that returns redirects instead of
// following them.
func KeepRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// pause waits, or until the test ends.
func pause(t T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatalf("%v", t.Context().Err())
	}
}
