package server

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"fechatter/chat"
)

func document(t *testing.T, path string) map[string]any {
	t.Helper()
	w := serve(bare(t, io.Discard, nil), httptest.NewRequest(http.MethodGet, path, nil))
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != 200 {
		t.Fatalf("%s: %d, %v", path, w.Code, err)
	}
	return doc
}

// The document lists exactly the API's rows of the table.
func TestOpenAPIIsTheTable(t *testing.T) {
	var listed, rows []string
	doc := document(t, "/openapi.json")
	paths := doc["paths"].(map[string]any)
	for path, item := range paths {
		for method := range item.(map[string]any) {
			listed = append(listed, strings.ToUpper(method)+" "+path)
		}
	}
	s := &Server{}
	for _, r := range s.apiRoutes() {
		rows = append(rows, r.method+" "+r.path)
	}
	slices.Sort(listed)
	slices.Sort(rows)
	if !slices.Equal(listed, rows) {
		t.Errorf("document and table differ:\n%q\n%q", listed, rows)
	}
	if version := doc["openapi"]; version != "3.1.0" {
		t.Errorf("openapi is %v", version)
	}
	if version := doc["info"].(map[string]any)["version"]; version != "1.2.3" {
		t.Errorf("version is %v", version)
	}
}

// Every parameter of a path is described, every list takes a limit.
func TestOpenAPIDescribesParameters(t *testing.T) {
	for path, item := range document(t, "/openapi.json")["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			named := map[string]bool{}
			parameters, _ := op.(map[string]any)["parameters"].([]any)
			for _, p := range parameters {
				named[p.(map[string]any)["name"].(string)] = true
			}
			for part := range strings.SplitSeq(path, "/") {
				if name := strings.Trim(part, "{}"); name != part && !named[name] {
					t.Errorf("%s %s: %s is not described", method, path, part)
				}
			}
			isList := method == "get" && (strings.HasSuffix(path, "s") || strings.HasSuffix(path, "public") || strings.HasSuffix(path, "{emoji}"))
			if isList && path != "/api/v1/events" && !named["limit"] {
				t.Errorf("%s %s: takes no limit", method, path)
			}
		}
	}
}

// Every reference resolves, and nothing of huma's own is left.
func TestDocumentsAreWhole(t *testing.T) {
	for _, path := range []string{"/openapi.json", "/asyncapi.json"} {
		doc := document(t, path)
		for _, ref := range references(doc) {
			if !resolves(doc, ref) {
				t.Errorf("%s: %s points to nothing", path, ref)
			}
		}
		schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
		for _, name := range []string{"ErrorModel", "ErrorDetail"} {
			if schemas[name] != nil {
				t.Errorf("%s: describes %s", path, name)
			}
		}
		problem := schemas["Problem"].(map[string]any)["properties"].(map[string]any)
		if problem["retry_after_ms"] == nil || problem["code"] == nil {
			t.Errorf("%s: Problem is %v", path, problem)
		}
	}
}

func references(v any) (refs []string) {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			if text, ok := item.(string); ok && key == "$ref" {
				refs = append(refs, text)
			}
			refs = append(refs, references(item)...)
		}
	case []any:
		for _, item := range v {
			refs = append(refs, references(item)...)
		}
	}
	return refs
}

func resolves(doc map[string]any, ref string) bool {
	var at any = doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		object, ok := at.(map[string]any)
		if !ok || object[part] == nil {
			return false
		}
		at = object[part]
	}
	return true
}

func TestOpenAPINamesWhatIsRequired(t *testing.T) {
	schemas := document(t, "/openapi.json")["components"].(map[string]any)["schemas"].(map[string]any)
	for name, want := range map[string][]string{
		"SignUpInputBody":      {"password", "username"},
		"CreateChatInputBody":  {"kind"},
		"MakeKeyInputBody":     {"name", "scopes"},
		"EditMessageInputBody": {"body", "version"},
	} {
		schema, ok := schemas[name].(map[string]any)
		if !ok {
			t.Errorf("no schema %s", name)
			continue
		}
		var got []string
		for _, r := range schema["required"].([]any) {
			got = append(got, r.(string))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s requires %q, want %q", name, got, want)
		}
	}
}

func TestAsyncAPIHasEveryOp(t *testing.T) {
	doc := document(t, "/asyncapi.json")
	if doc["asyncapi"] != "3.0.0" {
		t.Errorf("asyncapi is %v", doc["asyncapi"])
	}
	operations := doc["operations"].(map[string]any)
	for _, op := range []string{"auth", "resume", "ping", "message.send", "message.edit", "message.delete", "reaction.add", "reaction.remove", "cursor.set"} {
		operation, ok := operations[op].(map[string]any)
		if !ok || operation["action"] != "receive" || operation["reply"] == nil {
			t.Errorf("%s: %v", op, operation)
		}
	}
	for _, op := range []chat.Op{chat.OpChatCreated, chat.OpChatUpdated, chat.OpMemberAdded, chat.OpMemberUpdated, chat.OpMemberRemoved,
		chat.OpMessageCreated, chat.OpMessageEdited, chat.OpMessageDeleted, chat.OpReactionAdded, chat.OpReactionRemoved,
		chat.OpChatJoined, chat.OpChatLeft, chat.OpSessionRevoked, "hello", "chats", "reset", "drain"} {
		operation, ok := operations[string(op)].(map[string]any)
		if !ok || operation["action"] != "send" {
			t.Errorf("%s: %v", op, operation)
		}
	}
}

func TestDocsPageNeedsNothingFromElsewhere(t *testing.T) {
	w := serve(bare(t, io.Discard, nil), httptest.NewRequest(http.MethodGet, "/docs", nil))
	page := w.Body.String()
	for _, want := range []string{"/api/v1/chats/{id}/messages", "message.send", "rate_limited", "SendMessageInputBody"} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %s", want)
		}
	}
	for _, part := range strings.Split(page, `href="#`)[1:] {
		anchor, _, _ := strings.Cut(part, `"`)
		if !strings.Contains(page, `id="`+anchor+`"`) {
			t.Errorf("#%s points to nothing", anchor)
		}
	}
	for _, banned := range []string{"<script", "src=", "http://", "https://", "@import", "url("} {
		if strings.Contains(page, banned) {
			t.Errorf("page holds %s", banned)
		}
	}
	if csp := w.Header().Get("Content-Security-Policy"); strings.Contains(csp, "script") || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("policy is %s", csp)
	}
}
