package hub

import "errors"

// Errors of connections and subscriptions.
var (
	ErrClosed  = errors.New("connection or hub closed")
	ErrNotOpen = errors.New("stream not open")
	ErrBusy    = errors.New("an attach of this stream is under way")
	ErrBehind  = errors.New("stream did not reach the position in time")

	// Causes handed to Owner.Closed.
	ErrSlow      = errors.New("send queue passed its limit")
	ErrHeartbeat = errors.New("no answer to ping")
	ErrStalled   = errors.New("socket took no bytes in time")
)
