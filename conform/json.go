package conform

import (
	"net/http"
	"regexp"
	"strings"

	"fechatter/conform/client"
)

// §3, strict JSON and its limits.

func strictREST(t *T, c *cast) {
	id := c.ada.Group()
	before := entryOf(c.ada, id).LastSeq
	for what, body := range map[string]string{
		"a duplicate key":       `{"body":"a","body":"b"}`,
		"a nested duplicate":    `{"body":"a","x":{"y":1,"y":2}}`,
		"U+0000":                `{"body":"a\u0000"}`,
		"an unpaired surrogate": `{"body":"\ud800"}`,
		"a surrogate reversed":  `{"body":"\udc00\ud800"}`,
		"invalid UTF-8":         "{\"body\":\"a\xff\"}",
		"nesting of 17":         `{"body":"a","x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`,
		"a number as text":      `{"body":5}`,
		"an object as text":     `{"body":{}}`,
		"an array":              `[]`,
		"text":                  `"body"`,
		"two values":            `{"body":"a"}{"body":"b"}`,
		"cut short":             `{"body":"a"`,
		"a comment":             `{"body":"a"/**/}`,
		"no body":               `{}`,
		"white space only":      `{"body":" \n\t\u3000"}`,
		"an empty body":         `{"body":""}`,
	} {
		a := c.ada.Ask("POST", "/chats/"+id+"/messages", []byte(body), "Idempotency-Key", client.NewKey())
		isProblem(t, what, a, "bad_request", http.StatusBadRequest)
	}
	equal(t, "last_seq after the refusals", entryOf(c.ada, id).LastSeq, before)
	deep := `{"body":"a","x":` + strings.Repeat("[", 15) + strings.Repeat("]", 15) + `,"Unknown":null}`
	c.ada.Rest("POST", "/chats/"+id+"/messages", []byte(deep), http.StatusCreated, nil, "Idempotency-Key", client.NewKey())
}

func strictSocket(t *T, c *cast) {
	s := c.ada.Fresh()
	for _, tc := range []struct{ data, re string }{
		{`{"id":"1","op":"fly","d":{}}`, "1"},
		{`{"id":"2"}`, "2"},
		{`{"op":"ping"}`, ""},
		{`{"id":"","op":"ping"}`, ""},
		{`{"id":"` + strings.Repeat("x", 65) + `","op":"ping"}`, ""},
		{`{"id":3,"op":"ping"}`, ""},
		{`{"id":"4","id":"4","op":"ping"}`, ""},
		{`{"id":"5","op":"message.send","d":{"chat_id":7}}`, "5"},
		{`{"id":"6","op":"message.send","d":{"chat_id":"x","chat_id":"x"}}`, ""},
		{`{"id":"7","op":"ping","d":{"x":"\ud800"}}`, ""},
		{`{"id":"8","op":"ping","d":{"x":"\u0000"}}`, ""},
		{`{"id":"9","op":"ping","d":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, ""},
		{`{"id":"10","op":"ping","d":[]}`, "10"},
		{`{"id":"11","op":"message.delete","d":{"message_id":null}}`, "11"},
		{`{"id":"12","op":"ping","d":5}`, "12"},
		{`{"id":"13","op":"message.send","d":{"key":"k","body":"x"}}`, "13"},
		{`{"id":"14","op":"cursor.set","d":{"read_seq":1}}`, "14"},
		{`{"id":"` + strings.Repeat("é", 65) + `","op":"ping"}`, ""},
	} {
		s.Text(tc.data)
		f := s.Until("an answer to "+tc.data, func(f client.Frame) bool { return f.Op == "error" || f.Op == "ok" })
		if f.Op != "error" || f.Field(t, "code") != "bad_request" || !strings.Contains(f.Raw, `"re":`) {
			t.Errorf("%.80s: got %.300s, want bad_request", tc.data, f.Raw)
		}
		if tc.re != "" && (f.Re == nil || *f.Re != tc.re) {
			t.Errorf("%.80s: re is not %s: %.300s", tc.data, tc.re, f.Raw)
		}
	}
	for what, text := range map[string]string{
		"unknown fields":      `{"id":"64","op":"ping","d":{"unknown":[1]},"more":true}`,
		"an id of 64 letters": `{"id":"` + strings.Repeat("é", 64) + `","op":"ping"}`,
	} {
		s.Text(text)
		equal(t, what, s.Until("an answer", func(f client.Frame) bool { return f.Op == "error" || f.Op == "ok" }).Op, "ok")
	}
}

func bodyLimit(t *T, c *cast) {
	l := c.limits()
	id := c.ada.Group()
	fits := strings.Repeat("é", l.BodyBytes/2) + strings.Repeat("x", l.BodyBytes%2)
	equal(t, "a body at the limit", say(c.ada, id, fits).Body, fits)
	key := []string{"Idempotency-Key", client.NewKey()}
	refused(t, c.ada, "too_large", "POST", "/chats/"+id+"/messages", object{"body": fits + "x"}, key...)
	c.ada.Fresh().Refused("message.send", object{"chat_id": id, "key": "k", "body": fits + "x"}, "too_large")
	m := say(c.ada, id, "short")
	refused(t, c.ada, "too_large", "PATCH", "/messages/"+m.ID, object{"body": fits + "x", "version": 1})
}

func idsAndTimes(t *T, c *cast) {
	id := c.ada.Group()
	last := ""
	uuid7 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	utc := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
	for range 5 {
		m := say(c.ada, id, "tick")
		if !uuid7.MatchString(m.ID) || !uuid7.MatchString(m.ChatID) || !uuid7.MatchString(m.SenderID) {
			t.Errorf("ids are not UUIDv7: %s, %s, %s", m.ID, m.ChatID, m.SenderID)
		}
		if !utc.MatchString(m.CreatedAt) || m.CreatedAt < last {
			t.Errorf("created_at is %s after %s", m.CreatedAt, last)
		}
		last = m.CreatedAt
	}
}

func keyForm(t *T, c *cast) {
	id := c.ada.Group()
	s := c.ada.Fresh()
	for _, key := range []string{"", strings.Repeat("k", 65), "with space", "é"} {
		s.Refused("message.send", object{"chat_id": id, "key": key, "body": "x"}, "bad_request")
	}
	for _, key := range []string{"!", strings.Repeat("~", 64)} {
		s.OK("message.send", object{"chat_id": id, "key": key, "body": "x"})
	}
	refused(t, c.ada, "bad_request", "POST", "/chats/"+id+"/messages", object{"body": "x"})
	refused(t, c.ada, "bad_request", "POST", "/chats/"+id+"/messages", object{"body": "x"}, "Idempotency-Key", strings.Repeat("k", 65))
}
