package chat

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// maxDataBytes is how large data may be, in bytes of JSON without blanks.
const maxDataBytes = 8 << 10

// CleanData returns data without blanks, and its type: the text of that name, by which a
// program says what it is, "" without one. Errors: bad_request if it is no object, too_large.
func CleanData(data json.RawMessage) (clean json.RawMessage, typed string, err error) {
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		return nil, "", Wrap(BadRequest, err, "data is not JSON")
	}
	if b.Len() == 0 || b.Bytes()[0] != '{' {
		return nil, "", Errorf(BadRequest, "data must be an object")
	}
	if b.Len() > maxDataBytes {
		return nil, "", Errorf(TooLarge, "data must be at most %d bytes", maxDataBytes)
	}
	return b.Bytes(), DataType(b.Bytes()), nil
}

// DataType returns the type of data, "" if it has none.
func DataType(data json.RawMessage) string {
	var fields map[string]json.RawMessage
	var typed string
	if json.Unmarshal(data, &fields) != nil || json.Unmarshal(fields["type"], &typed) != nil {
		return ""
	}
	return typed
}

// DataSummary returns of data what a list of chats shows: its type.
func DataSummary(data json.RawMessage) json.RawMessage {
	typed := DataType(data)
	if typed == "" || utf8.RuneCountInString(typed) > LastMessageRunes {
		return nil
	}
	summary, err := json.Marshal(map[string]string{"type": typed})
	if err != nil {
		return nil
	}
	return summary
}
