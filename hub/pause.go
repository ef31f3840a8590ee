package hub

import "context"

// pauseKey is the key of a context's pause.
type pauseKey struct{}

// WithPause returns a context under which Attach and SendPaced wait for a socket or a stream
// inside pause, which can let somebody else have meanwhile what the caller holds. It must call
// wait once; an error of either ends the call that waited.
func WithPause(ctx context.Context, pause func(wait func() error) error) context.Context {
	return context.WithValue(ctx, pauseKey{}, pause)
}

// pausing waits, inside the context's pause if it has one.
func pausing(ctx context.Context, wait func() error) error {
	if pause, ok := ctx.Value(pauseKey{}).(func(func() error) error); ok {
		return pause(wait)
	}
	return wait()
}
