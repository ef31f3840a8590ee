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

// meiliAnswer is an error as the server words it: the answer to a request, or,
// with status 0, the end of a task. The library's own error would put the request,
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

// refuses says that the documents are at fault, and neither the server nor the
// state that its indexes are in.
func (a *meiliAnswer) refuses() bool {
	if a.status == http.StatusRequestEntityTooLarge {
		return true // in a proxy's words, too
	}
	return (a.status == 0 || a.status == http.StatusBadRequest) &&
		a.kind == "invalid_request" && !strings.HasPrefix(a.code, "index_")
}

// meiliError wraps what the library says so that callers know that asking again
// may help.
func meiliError(doing string, err error) error {
	return chat.Wrap(chat.Unavailable, fmt.Errorf("%s: %w", doing, meiliCause(err)), "the search engine cannot be used now")
}

// meiliBatchError is meiliError for what a batch may be the cause of.
func meiliBatchError(doing string, err error) error {
	if a, ok := errors.AsType[*meiliAnswer](meiliCause(err)); ok && a.refuses() {
		// The server's sentence may quote the document.
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
