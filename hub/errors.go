package hub

import (
	"errors"
	"fmt"
)

// Errors of connections and subscriptions.
var (
	ErrClosed  = errors.New("connection or hub closed")
	ErrNotOpen = errors.New("stream not open")
	ErrBusy    = errors.New("an attach of this stream is under way")
	ErrBehind  = errors.New("stream did not reach the position in time")

	// Causes handed to Owner.Closed, besides errors of the socket and a CloseError.
	ErrGone      = errors.New("the peer has closed, or the reader has ended")
	ErrSlow      = errors.New("send queue passed its limit")
	ErrHeartbeat = errors.New("no answer to ping")
	ErrStalled   = errors.New("socket took no bytes in time")
	ErrBacklog   = errors.New("owner did not take its calls")
)

// CloseError is the cause of a connection that was closed by Conn.Close.
type CloseError struct {
	Code   uint16
	Reason string
}

func (e CloseError) Error() string { return fmt.Sprintf("closed with %d: %s", e.Code, e.Reason) }
