package chat

import (
	"errors"
	"fmt"
	"time"
)

// Code classifies an error for a caller. The text is what travels on the wire.
type Code string

// The codes of the wire contract.
const (
	BadRequest      Code = "bad_request"
	Unauthenticated Code = "unauthenticated"
	Forbidden       Code = "forbidden"
	NotFound        Code = "not_found"
	Conflict        Code = "conflict"
	TooLarge        Code = "too_large"
	KeyReused       Code = "key_reused"
	RateLimited     Code = "rate_limited"
	SecondFactor    Code = "second_factor"
	Internal        Code = "internal"
	Unavailable     Code = "unavailable"
	Overloaded      Code = "overloaded"
	UnknownOutcome  Code = "unknown_outcome"
)

// Error is what a use case returns when it refuses or fails. Detail is written
// for the caller and contains nothing secret; the cause is for logs.
type Error struct {
	Code       Code
	Detail     string
	RetryAfter time.Duration // when a retry makes sense; 0 if unknown
	Current    *Message      // an edit's conflict: the message as it is now
	Next       *SecondStep   // second_factor: how to go on
	Limit      string        // which limit was hit, for logs
	cause      error
}

func (e *Error) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("%s: %s", e.Code, e.Detail)
	}
	return fmt.Sprintf("%s: %s: %v", e.Code, e.Detail, e.cause)
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Errorf returns an Error with a code and a detail for the caller.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Wrap returns an Error with a code around a cause that only logs may show.
func Wrap(code Code, cause error, detail string) *Error {
	return &Error{Code: code, Detail: detail, cause: cause}
}

// LimitOf returns which limit an error is about, "" if it is about none.
func LimitOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Limit
	}
	return ""
}

// CodeOf returns the code of an error: that of the first Error in its chain,
// Internal for any other error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}
