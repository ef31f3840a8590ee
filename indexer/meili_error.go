package indexer

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"fechatter/chat"

	"github.com/meilisearch/meilisearch-go"
)

// meiliAnswer is an error reported by the server: the answer to a request or, with
// status 0, the outcome of a task. The library's own error would put the request,
// and with it what people wrote, into the log.
type meiliAnswer struct {
	status              int
	code, kind, message string
}

func (a *meiliAnswer) Error() string {
	switch {
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return fmt.Sprintf("the server refuses the API key: %s (%d %s)", a.message, a.status, a.code)
	case a.status != 0:
		return fmt.Sprintf("the server answers %d %s: %s", a.status, a.code, a.message)
	}
	return fmt.Sprintf("the task failed: %s: %s", a.code, a.message)
}

// refuses reports whether the documents are at fault, rather than the server or the
// state of its indexes.
func (a *meiliAnswer) refuses() bool {
	if a.status == http.StatusRequestEntityTooLarge {
		return true // also when a proxy says so
	}
	return (a.status == 0 || a.status == http.StatusBadRequest) &&
		a.kind == "invalid_request" && !strings.HasPrefix(a.code, "index_")
}

// meiliError wraps an error of the library in one that tells callers that a retry
// may help.
func meiliError(doing string, err error) error {
	return chat.Wrap(chat.Unavailable, fmt.Errorf("%s: %w", doing, meiliCause(err)), "search is temporarily unavailable")
}

// meiliBatchError is meiliError for errors that a batch may have caused.
func meiliBatchError(doing string, err error) error {
	if a, ok := errors.AsType[*meiliAnswer](meiliCause(err)); ok && a.refuses() {
		// The server's message may quote the document.
		return fmt.Errorf("%s: %w", doing, &RefusedError{Reason: cmp.Or(a.code, http.StatusText(a.status))})
	}
	return meiliError(doing, err)
}

func meiliCause(err error) error {
	e, ok := errors.AsType[*meilisearch.Error](err)
	switch {
	case !ok:
		return err
	case e.OriginError != nil:
		return e.OriginError
	case e.StatusCode != 0:
		return &meiliAnswer{e.StatusCode, string(e.APIError.Code), e.APIError.Type, e.APIError.Message}
	}
	return errors.New("no answer")
}

func meiliMissing(err error) bool {
	a, ok := errors.AsType[*meiliAnswer](meiliCause(err))
	return ok && a.code == string(meilisearch.APIErrCodeIndexNotFound)
}
