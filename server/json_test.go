package server

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"fechatter/chat"
)

type sample struct {
	Body  string           `json:"body" required:"true"`
	Count *int64           `json:"count,omitempty"`
	Flag  bool             `json:"flag,omitempty"`
	IDs   []string         `json:"ids,omitempty"`
	Map   map[string]int64 `json:"map,omitempty"`
	Raw   json.RawMessage  `json:"raw,omitempty"`
}

func nested(depth int) string {
	return `{"body":"x","raw":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
}

// Every refusal of the contract that a decoder can make. cause is what a WebSocket
// closes for; nil: it answers bad_request and goes on.
func TestDecodeStrictRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		in    string
		cause error
	}{
		"invalid UTF-8":                  {"{\"body\":\"\xff\"}", errNotUTF8},
		"invalid UTF-8 in a key":         {"{\"body\":\"x\",\"\xc3\":1}", errNotUTF8},
		"UTF-8 encoded surrogate":        {"{\"body\":\"\xed\xa0\x80\"}", errNotUTF8},
		"empty":                          {"", errNotJSON},
		"white space":                    {" \n", errNotJSON},
		"cut off":                        {`{"body":"x"`, errNotJSON},
		"trailing data":                  {`{"body":"x"} 1`, errNotJSON},
		"two objects":                    {`{"body":"x"}{"body":"y"}`, errNotJSON},
		"trailing comma":                 {`{"body":"x",}`, errNotJSON},
		"single quotes":                  {`{'body':'x'}`, errNotJSON},
		"raw control character":          {"{\"body\":\"\x01\"}", errNotJSON},
		"raw U+0000":                     {"{\"body\":\"\x00\"}", errNotJSON},
		"byte order mark":                {"\ufeff{\"body\":\"x\"}", errNotJSON},
		"NaN":                            {`{"body":"x","count":NaN}`, errNotJSON},
		"bottomless nesting":             {nested(20_000), errNotJSON},
		"a list":                         {`["body"]`, errNotObject},
		"a string":                       {`"body"`, errNotObject},
		"null":                           {`null`, errNotObject},
		"escaped U+0000":                 {`{"body":"a\u0000b"}`, nil},
		"escaped U+0000 in a key":        {`{"body":"x","a\u0000":1}`, nil},
		"escaped U+0000, unknown field":  {`{"body":"x","other":{"a":["\u0000"]}}`, nil},
		"lone high surrogate":            {`{"body":"\ud83d"}`, nil},
		"lone high surrogate, then text": {`{"body":"\ud83dxxxxxx"}`, nil},
		"high surrogate twice":           {`{"body":"\ud83d\ud83d\ude00"}`, nil},
		"lone low surrogate":             {`{"body":"\ude00"}`, nil},
		"surrogates in the wrong order":  {`{"body":"\ude00\ud83d"}`, nil},
		"surrogate, then other escape":   {`{"body":"\ud83d\n"}`, nil},
		"surrogate, then other unit":     {`{"body":"\ud83d\u0041"}`, nil},
		"lone surrogate in a key":        {`{"body":"x","\ud83d":1}`, nil},
		"duplicate key":                  {`{"body":"x","body":"x"}`, nil},
		"duplicate key by escape":        {`{"body":"x","bod\u0079":"x"}`, nil},
		"duplicate unknown key":          {`{"body":"x","a":1,"a":1}`, nil},
		"duplicate key inside":           {`{"body":"x","raw":[{"a":1,"b":2,"a":1}]}`, nil},
		"duplicate key of a map":         {`{"body":"x","map":{"a":1,"a":2}}`, nil},
		"nesting of 17":                  {nested(17), nil},
		"nesting of 17, unknown field":   {strings.Replace(nested(17), "raw", "other", 1), nil},
		"number for a string":            {`{"body":1}`, nil},
		"object for a string":            {`{"body":{}}`, nil},
		"string for a number":            {`{"body":"x","count":"1"}`, nil},
		"fraction for a whole number":    {`{"body":"x","count":1.5}`, nil},
		"number out of range":            {`{"body":"x","count":9223372036854775808}`, nil},
		"number for a bool":              {`{"body":"x","flag":1}`, nil},
		"string for a list":              {`{"body":"x","ids":"a"}`, nil},
		"number in a list of strings":    {`{"body":"x","ids":["a",1]}`, nil},
		"list for a map":                 {`{"body":"x","map":[]}`, nil},
		"required field is missing":      {`{}`, nil},
		"required field is null":         {`{"body":null}`, nil},
		"required field in another case": {`{"BODY":"x"}`, nil},
	} {
		v := sample{Body: "before"}
		err := decodeStrict([]byte(tc.in), &v)
		if chat.CodeOf(err) != chat.BadRequest {
			t.Errorf("%s: got %v, want bad_request", name, err)
			continue
		}
		for _, cause := range []error{errNotUTF8, errNotJSON, errNotObject} {
			if errors.Is(err, cause) != errors.Is(tc.cause, cause) {
				t.Errorf("%s: error %v; want the cause %v", name, err, tc.cause)
			}
		}
		if v.Body != "before" || v.Count != nil || v.IDs != nil || v.Map != nil || v.Raw != nil {
			t.Errorf("%s: left %+v behind", name, v)
		}
	}
}

func TestDecodeStrictReads(t *testing.T) {
	for in, want := range map[string]string{
		`{"body":"x"}`: "x",
		" \r\n\t{ \"body\" : \"x\" , \"other\" : [ 1 , { } , [ ] , null , true ] } \n": "x",
		`{"body":"\ud83d\ude00 \u00e9\n\"\\\/"}`:                                       "😀 é\n\"\\/",
		`{"body":"😀"}`:                                                                 "😀",
		`{"body":"\\u0000"}`:                                                           `\u0000`,
		`{"body":"\\ud83d"}`:                                                           `\ud83d`,
		`{"\u0062ody":"x"}`:                                                            "x",
		`{"body":"x","BODY":5,"Body":{}}`:                                              "x",
		`{"body":"x","count":null,"ids":null}`:                                         "x",
		`{"body":"x","a":{"k":1},"b":{"k":1},"k":1}`:                                   "x",
		`{"body":"","raw":-1.5e+10}`:                                                   "",
		nested(16):                                                                     "x",
	} {
		var v sample
		if err := decodeStrict([]byte(in), &v); err != nil || v.Body != want {
			t.Errorf("%s: got %q, %v; want %q", in, v.Body, err, want)
		}
	}
	var v sample
	if err := decodeStrict([]byte(`{"body":"b","count":7,"flag":true,"ids":["a","b"],"map":{"a":1},"raw":{"x":[1]}}`), &v); err != nil {
		t.Fatal(err)
	}
	if *v.Count != 7 || !v.Flag || len(v.IDs) != 2 || v.Map["a"] != 1 || string(v.Raw) != `{"x":[1]}` {
		t.Errorf("got %+v", v)
	}
}

func TestIDOfARefusedCommand(t *testing.T) {
	for in, want := range map[string]string{
		`{"id":"c1","op":5}`:                "c1",
		`{"id":"c1","a":1,"a":2}`:           "c1",
		`{"id":"c1","d":{"body":"\u0000"}}`: "c1",
		`{"id":5}`:                          "",
		`{"id":""}`:                         "",
		`{"id":null}`:                       "",
		`{"id":"\ud83d"}`:                   "",
		`{"id":"\u0000"}`:                   "",
		`{"ID":"c1"}`:                       "",
		`{}`:                                "",
		`[]`:                                "",
		`{"id":"` + strings.Repeat("x", 65) + `"}`: "",
	} {
		got := ""
		if id := idOf([]byte(in)); id != nil {
			got = *id
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

// What passes the strict decoder is what encoding/json reads as well, and says
// the same in its fields.
func FuzzDecodeStrict(f *testing.F) {
	for _, seed := range []string{`{"body":"x"}`, `{"body":"\ud83d\ude00","raw":[{"a":[]}]}`, `{"body":"x","a":1,"a":2}`,
		`{"body":"\u0000"}`, `{"BODY":"x"}`, nested(16), nested(17), `[]`, `{`, "{\"body\":\"\xff\"}", `{"body":"\\\"","ids":["\\"]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v sample
		err := decodeStrict(data, &v)
		if err != nil {
			if chat.CodeOf(err) != chat.BadRequest {
				t.Fatalf("error %v is not bad_request", err)
			}
			return
		}
		var loose map[string]any
		if err := json.Unmarshal(data, &loose); err != nil {
			t.Fatalf("passed, but encoding/json says %v", err)
		}
		if body, ok := loose["body"].(string); !ok || body != v.Body {
			t.Fatalf("body is %q, encoding/json says %v", v.Body, loose["body"])
		}
		if !utf8.ValidString(v.Body) || strings.ContainsAny(v.Body, "\x00\ufffd") && !strings.Contains(string(data), "\ufffd") &&
			!strings.Contains(strings.ToLower(string(data)), `\ufffd`) {
			t.Fatalf("let %q through", v.Body)
		}
		if depth := depthOf(loose); depth > maxDepth {
			t.Fatalf("let a depth of %d through", depth)
		}
	})
}

func depthOf(v any) int {
	deepest := 0
	switch v := v.(type) {
	case map[string]any:
		for _, item := range v {
			deepest = max(deepest, depthOf(item))
		}
	case []any:
		for _, item := range v {
			deepest = max(deepest, depthOf(item))
		}
	default:
		return 0
	}
	return deepest + 1
}

func BenchmarkDecodeStrict(b *testing.B) {
	data := []byte(`{"id":"c1","op":"message.send","body":"` + strings.Repeat("hello ", 40) + `","raw":{"chat_id":"0199a0c0-0000-7000-8000-000000000001","key":"k"}}`)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		var v sample
		if err := decodeStrict(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}
