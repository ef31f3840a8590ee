package client

import (
	"encoding/json"
)

// Frame is anything the server says.
type Frame struct {
	Re     *string         `json:"re"`
	Op     string          `json:"op"`
	ChatID string          `json:"chat_id"`
	Seq    int64           `json:"seq"`
	D      json.RawMessage `json:"d"`

	Raw string
}

func (f Frame) Field(t T, path ...string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(f.D, &v); err != nil {
		t.Fatalf("read %s: %v", f.Raw, err)
	}
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("no %v in %s", path, f.Raw)
		}
		v = m[p]
	}
	return v
}
