package persistence

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"fechatter/chat"
)

// encodeAfter makes the opaque token of a list's next page: the list's name and
// the sort key of the last row given.
func encodeAfter(list string, key ...any) string {
	b, err := json.Marshal(append([]any{list}, key...))
	if err != nil {
		return "" // strings and integers always encode
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeAfter reads the token back into the parts of the sort key, pointers to
// strings and int64s, and reports whether there was one.
func decodeAfter(list, token string, key ...any) (bool, error) {
	if token == "" {
		return false, nil
	}
	bad := chat.Errorf(chat.BadRequest, "after is not a token of this list")
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

// cut takes one page off rows that were read one beyond the limit.
func cut[T any](rows []T, limit int) (page []T, more bool) {
	if len(rows) > limit {
		return rows[:limit], true
	}
	return rows, false
}

// pattern makes a LIKE pattern, with \ as its escape, of what contains q.
func pattern(q string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q) + "%"
}
