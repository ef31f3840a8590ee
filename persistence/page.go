package persistence

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"fechatter/chat"
	"fechatter/fold"
)

// encodeAfter returns the opaque token of a list's next page, made of the list's
// name and the sort key of the last row on this page.
func encodeAfter(list string, key ...any) string {
	b, err := json.Marshal(append([]any{list}, key...))
	if err != nil {
		return "" // strings and integers always encode
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeAfter decodes a token into the parts of the sort key, pointers to strings
// and int64s, and reports whether there was one.
func decodeAfter(list, token string, key ...any) (bool, error) {
	if token == "" {
		return false, nil
	}
	bad := chat.Errorf(chat.BadRequest, "after is not a token from this list")
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return false, bad
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil || len(parts) != len(key)+1 {
		return false, bad
	}
	for i, into := range append([]any{new(string)}, key...) {
		if string(parts[i]) == "null" || json.Unmarshal(parts[i], into) != nil {
			return false, bad
		}
		if name, ok := into.(*string); ok && (i == 0 && *name != list || strings.ContainsRune(*name, 0)) {
			return false, bad
		}
	}
	return true, nil
}

// cut returns one page of rows that were read with limit+1.
func cut[T any](rows []T, limit int) (page []T, more bool) {
	if len(rows) > limit {
		return rows[:limit], true
	}
	return rows, false
}

// pageOf ends the reading of a list: one page of the rows, which were read with
// limit+1, and the token of the next page, made of the key of the last row.
func pageOf[T any](list string, rows []T, err error, limit int, key func(last T) []any) (page []T, next string, _ error) {
	if err != nil {
		return nil, "", err
	}
	page, more := cut(rows, limit)
	if more {
		next = encodeAfter(list, key(page[len(page)-1])...)
	}
	return page, next, nil
}

// pattern returns a LIKE pattern, with \ as its escape, for folded text that
// contains q.
func pattern(q string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(fold.Text(q)) + "%"
}
