package conform_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"fechatter/conform"
)

// broken is a proxy before a node that gets one thing wrong. It passes on the rest
// unchanged: what has no function here.
type broken struct {
	request  func(*http.Request)
	response func(*http.Response)
	body     func(string) string
	frame    func(string) []string
	code     func(websocket.StatusCode) websocket.StatusCode
}

// brokenServers returns what a server gets wrong, by the check that must fail.
func brokenServers() map[string]*broken {
	return map[string]*broken{
		"an acknowledged message is there":          {frame: replace(`"op":"ok","d":{"message_id":"0`, `"op":"ok","d":{"message_id":"f`)},
		"every member sees one order without holes": {frame: dropThird},
		"the same key stores one message, by WebSocket and REST": {request: func(r *http.Request) {
			setIfThere(r.Header, "Idempotency-Key", uuid.NewString())
		}},
		"removed is removed": {frame: beforeLeft},

		"a key with other content is key_reused":                    {response: status(422, 409)},
		"ids are UUIDv7, times UTC with milliseconds":               {body: text(`Z"`, `+00:00"`)},
		"405 carries Allow":                                         {response: without("Allow")},
		"401 is a problem with WWW-Authenticate; no token in a URL": {response: without("Www-Authenticate")},
		"sends are limited, replays are not":                        {response: without("Retry-After")},
		"what a user may not see is not_found":                      {response: status(404, 403)},
		"lists are complete, page by page":                          {body: text(`"next":`, `"more":`)},
		"there are no CORS headers": {response: func(r *http.Response) {
			r.Header.Set("Access-Control-Allow-Origin", "*")
		}},
		"guesses cost a wait, which its owner need not share": {response: status(429, 401)},
		"to join and leave again and again is refused":        {response: without("Retry-After")},
		"too many frames before authentication close 4005":    {code: always(websocket.StatusNormalClosure)},
		"answers are for this site and for who asked":         {response: without("Cross-Origin-Resource-Policy")},
		"odd paths are not found, and never redirected":       {response: status(404, 308)},
		"unsafe requests of other origins are refused":        {request: forget("Origin")},
		"WebSocket and SSE check Origin":                      {request: forget("Origin")},
		"the cookie is a credential":                          {response: cookieWithout("HttpOnly")},
		"frames have limits by phase, else 1009":              {code: always(websocket.StatusNormalClosure)},

		"sign-up has rules":                               {response: status(409, 400)},
		"an entry has its fields":                         {body: text(`"muted"`, `"mute"`)},
		"roles limit what members may do":                 {response: status(403, 404)},
		"messages are edited by version":                  {response: status(409, 400)},
		"deleted text never comes back":                   {body: text(`"body":""`, `"body":"a secret"`)},
		"unread counts others' messages":                  {body: text(`"unread":2`, `"unread":1`)},
		"public chats can be browsed and joined":          {body: text(`"joined":true`, `"joined":false`)},
		"the history is read before, after and around":    {body: text(`"has_more":true`, `"has_more":false`)},
		"a revoked session's connections close with 4500": {code: always(websocket.StatusGoingAway)},

		"hello announces the limits":                  {frame: replace("resume_window", "window")},
		"a resume is lossless":                        {frame: twice("message.created")},
		"a resume says reset, and why":                {frame: drop("reset")},
		"chat.joined and chat.left":                   {frame: replace(`"op":"chat.left"`, `"op":"chat.gone"`)},
		"typing is shown":                             {frame: drop("typing")},
		"others' cursors are shown":                   {frame: drop("cursor")},
		"presence is shown to those who share a chat": {frame: drop("presence")},
		"a token resumes, by SSE and WebSocket": {request: func(r *http.Request) {
			r.Header.Del("Last-Event-ID")
			r.URL.RawQuery = ""
		}},
		"administration is for administrators": {response: status(403, 401)},
		"the health endpoints":                 {body: text("ok", "fine")},
	}
}

// TestBrokenServersFail breaks a server in one way at a time: the check of that must
// fail, and must pass otherwise.
func TestBrokenServersFail(t *testing.T) {
	t.Parallel()
	node := startNode(t, unlimited()...)
	all := brokenServers()
	names := []string{}
	for name := range all {
		names = append(names, regexp.QuoteMeta(name))
	}
	sound := run(t, conform.Config{URL: serve(t, node, &broken{}), Only: regexp.MustCompile("^§[0-9] (" + strings.Join(names, "|") + ")$")})
	if sound.Count(conform.Pass) != len(all)+1 { // and the sweep
		t.Fatalf("the proxy alone: %s", sound)
	}
	for name, b := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			only := regexp.MustCompile("^§[0-9] " + regexp.QuoteMeta(name) + "$")
			for _, r := range run(t, conform.Config{URL: serve(t, node, b), Only: only, Patience: 2 * time.Second}).Results {
				if r.Name == name && r.Outcome != conform.Fail {
					t.Errorf("the check did not fail: %s", r)
				}
			}
		})
	}
}

// text replaces text in bodies, replace in frames.
func text(old, now string) func(string) string {
	return func(s string) string { return strings.ReplaceAll(s, old, now) }
}

func replace(old, now string) func(string) []string {
	return func(f string) []string { return []string{strings.ReplaceAll(f, old, now)} }
}

func isOp(f, op string) bool { return strings.Contains(f, `"op":"`+op+`"`) }

// dropThird loses the third message of a group of three on every connection.
func dropThird(f string) []string {
	if isOp(f, "message.created") && strings.Contains(f, `"seq":7,`) {
		return nil
	}
	return []string{f}
}

func drop(op string) func(string) []string {
	return func(f string) []string {
		if isOp(f, op) {
			return nil
		}
		return []string{f}
	}
}

func twice(op string) func(string) []string {
	return func(f string) []string {
		if isOp(f, op) {
			return []string{f, f}
		}
		return []string{f}
	}
}

// beforeLeft lets through one more event of a chat that the user has left.
func beforeLeft(f string) []string {
	left := regexp.MustCompile(`"op":"chat.left".*"chat_id":"([^"]+)"`).FindStringSubmatch(f)
	if left == nil {
		return []string{f}
	}
	return []string{`{"op":"message.created","chat_id":"` + left[1] + `","seq":1000,"d":{}}`, f}
}

func status(from, to int) func(*http.Response) {
	return func(r *http.Response) {
		if r.StatusCode == from {
			r.StatusCode = to
		}
	}
}

func without(name string) func(*http.Response) {
	return func(r *http.Response) { r.Header.Del(name) }
}

func setIfThere(h http.Header, name, value string) {
	if h.Get(name) != "" {
		h.Set(name, value)
	}
}

func forget(name string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Del(name) }
}

func cookieWithout(attribute string) func(*http.Response) {
	return func(r *http.Response) {
		for i, c := range r.Header["Set-Cookie"] {
			r.Header["Set-Cookie"][i] = strings.ReplaceAll(c, "; "+attribute, "")
		}
	}
}

func always(code websocket.StatusCode) func(websocket.StatusCode) websocket.StatusCode {
	return func(websocket.StatusCode) websocket.StatusCode { return code }
}

// serve starts the proxy before a node.
func serve(t *testing.T, node string, b *broken) string {
	t.Helper()
	target, err := url.Parse(node)
	if err != nil {
		t.Fatal(err)
	}
	rest := &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			r.Out.Header.Del("Accept-Encoding") // a body is changed as text
		},
		ModifyResponse: b.modify,
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b.request != nil {
			b.request(r)
		}
		if r.URL.Path == "/ws" {
			b.socket(w, r, node)
			return
		}
		rest.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func (b *broken) modify(r *http.Response) error {
	if b.response != nil {
		b.response(r)
	}
	if b.body == nil || r.Header.Get("Content-Type") == "text/event-stream" {
		return nil
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	changed := []byte(b.body(string(data)))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(changed)), int64(len(changed))
	r.Header.Del("Content-Length")
	return nil
}

// socket passes messages on, both ways, until either side ends.
func (b *broken) socket(w http.ResponseWriter, r *http.Request, node string) {
	header := http.Header{}
	for _, name := range []string{"Authorization", "Cookie", "Origin"} {
		if v := r.Header.Get(name); v != "" {
			header.Set(name, v)
		}
	}
	offered := r.Header["Sec-Websocket-Protocol"]
	up, res, err := websocket.Dial(r.Context(), node+"/ws", &websocket.DialOptions{HTTPHeader: header, Host: r.Host, Subprotocols: offered})
	if err != nil {
		if res == nil {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(res.StatusCode)
		return
	}
	defer func() { _ = up.CloseNow() }()
	down, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: offered})
	if err != nil {
		return
	}
	defer func() { _ = down.CloseNow() }()
	up.SetReadLimit(-1)
	down.SetReadLimit(-1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	said := make(chan struct{})
	go func() {
		defer close(said)
		b.pass(ctx, down, up, nil)
	}()
	b.pass(ctx, up, down, b.frame)
	cancel()
	<-said
}

func (b *broken) pass(ctx context.Context, from, to *websocket.Conn, change func(string) []string) {
	for {
		kind, data, err := from.Read(ctx)
		if err != nil {
			if e, ok := errors.AsType[websocket.CloseError](err); ok {
				code := e.Code
				if b.code != nil {
					code = b.code(code)
				}
				_ = to.Close(code, e.Reason)
			}
			_ = to.CloseNow()
			return
		}
		frames := []string{string(data)}
		if change != nil {
			frames = change(frames[0])
		}
		for _, f := range frames {
			if to.Write(ctx, kind, []byte(f)) != nil {
				return
			}
		}
	}
}
