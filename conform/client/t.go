package client

import "context"

// T is what a client tells of its failures: a *testing.T, or a program's own.
// Fatalf does not return. Errorf may be called by any goroutine until the
// functions given to Cleanup have run; the rest is for the test's own.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(f func())
	Context() context.Context // ends before the cleanup
}
