package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fechatter/chat"
)

func cookieOf(t *testing.T, a answer) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if c.Name == sessionCookie {
			return c
		}
	}
	return nil
}

func TestLogIn(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	a := ada.want(201, "POST", "/sessions", object{"username": "ada", "password": password, "device": "laptop"})
	user, ok := a.body["user"].(map[string]any)
	if !ok || user["id"] != ada.id || len(a.field("token")) != 43 {
		t.Fatalf("got %s", a.raw)
	}
	if expires, err := time.Parse(time.RFC3339, a.field("expires_at")); err != nil || time.Until(expires) < 29*24*time.Hour {
		t.Errorf("expires_at is %s, %v", a.field("expires_at"), err)
	}
	c := cookieOf(t, a)
	if c == nil || c.Value != a.field("token") || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Secure ||
		c.Domain != "" || time.Duration(c.MaxAge)*time.Second != chat.SessionTTL {
		t.Errorf("cookie is %+v", c)
	}
	wrongPassword := ada.refused(chat.Unauthenticated, "POST", "/sessions", object{"username": "ada", "password": "wrong password"})
	wrongName := ada.refused(chat.Unauthenticated, "POST", "/sessions", object{"username": "eve", "password": password})
	if string(wrongName.raw) != string(wrongPassword.raw) || wrongName.header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("a wrong name answers %s, a wrong password %s", wrongName.raw, wrongPassword.raw)
	}
	for _, body := range []object{{"username": "ada"}, {"password": password}, {"username": "ada", "password": password, "device": strings.Repeat("x", 121)}} {
		ada.refused(chat.BadRequest, "POST", "/sessions", body)
	}
}

func TestCookieIsSecureUnderHTTPS(t *testing.T) {
	n := newNode(t, func(c *Config) { c.PublicURL, c.AllowedHosts = "https://chat.example", []string{"example.com"} })
	ada := n.person("ada")
	browser := &person{n: n, name: "a browser"}
	set := func(a answer, value string) {
		t.Helper()
		cookies := (&http.Response{Header: a.header}).Cookies()
		if len(cookies) < 2 { // a log-in sets that of the device as well
			t.Fatalf("cookies are %v", cookies)
		}
		own, old := cookies[0], cookies[1]
		if own.Name != "__Host-fechatter_session" || own.Value != value || !own.Secure || !own.HttpOnly || own.Path != "/" || own.Domain != "" || (own.MaxAge < 0) != (value == "") {
			t.Errorf("the cookie of the host is %+v", own)
		}
		if old.Name != "fechatter_session" || old.Value != "" || old.MaxAge >= 0 || !old.Secure || old.Path != "/" {
			t.Errorf("the cookie of before is %+v", old)
		}
	}
	logIn := ada.want(201, "POST", "/sessions", object{"username": "ada", "password": password})
	token := logIn.field("token")
	set(logIn, token)
	for _, name := range []string{"fechatter_session", "__Host-fechatter_session"} { // that of before moves over
		set(browser.want(200, "GET", "/me", nil, "Cookie", name+"="+token), token)
	}
	eve := n.person("eve")
	tossed := "fechatter_session=" + eve.token + "; __Host-fechatter_session=" + token
	if me := browser.want(200, "GET", "/me", nil, "Cookie", tossed); me.field("id") != ada.id {
		t.Errorf("a cookie from elsewhere logs in %s", me.raw)
	}
	set(browser.want(204, "DELETE", "/sessions/current", nil, "Cookie", "__Host-fechatter_session="+token), "")
}

// A log-out clears what a browser cached; what the page stores is the page's to clear.
func TestLogOutClearsTheCache(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	if a := ada.want(200, "GET", "/me", nil); a.header.Get("Clear-Site-Data") != "" || a.header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
		t.Errorf("an answer has %v", a.header)
	}
	if a := ada.want(204, "DELETE", "/sessions/current", nil); a.header.Get("Clear-Site-Data") != `"cache"` {
		t.Errorf("the log-out has %v", a.header)
	}
}

func TestCookieAuthenticates(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	byCookie := &person{n: n, name: "a browser"}
	cookie := sessionCookie + "=" + ada.token
	me := byCookie.want(200, "GET", "/me", nil, "Cookie", cookie)
	if me.field("id") != ada.id {
		t.Errorf("got %s", me.raw)
	}
	if c := cookieOf(t, me); c == nil || c.Value != ada.token || c.MaxAge <= 0 {
		t.Errorf("me does not renew the cookie: %+v", c)
	}
	if c := cookieOf(t, ada.want(200, "GET", "/me", nil)); c != nil {
		t.Errorf("me sets a cookie for a client without one: %+v", c)
	}
	byCookie.want(200, "PATCH", "/me", object{"status_text": "x"}, "Cookie", cookie)
	byCookie.refused(chat.Forbidden, "PATCH", "/me", object{"status_text": "x"}, "Cookie", cookie, "Origin", "http://evil.example")
}

func TestSessions(t *testing.T) {
	n := newNode(t, nil)
	ada, eve := n.person("ada"), n.person("eve")
	first := &person{n: n, name: "first", token: ada.token}
	ada.logIn()
	var current, other string
	sessions := ada.want(200, "GET", "/sessions", nil).list(t, "sessions")
	for _, s := range sessions {
		if s["device"] != "test" || s["created_at"] == nil || s["last_used_at"] == nil {
			t.Errorf("session is %v", s)
		}
		if s["current"] == true {
			current = textOf(s["id"])
		} else {
			other = textOf(s["id"])
		}
	}
	if len(sessions) != 2 || current == "" || other == "" {
		t.Fatalf("sessions are %v", sessions)
	}
	if a := ada.want(200, "GET", "/sessions?limit=1", nil); len(a.list(t, "sessions")) != 1 || a.field("next") == "" {
		t.Errorf("limit=1: %s", a.raw)
	}
	eve.refused(chat.NotFound, "DELETE", "/sessions/"+other, nil)
	first.want(200, "GET", "/me", nil)
	if a := ada.want(204, "DELETE", "/sessions/"+other, nil); len(a.raw) > 0 || cookieOf(t, a) != nil {
		t.Errorf("got %q with %v", a.raw, a.header)
	}
	first.refused(chat.Unauthenticated, "GET", "/me", nil)
	ada.refused(chat.NotFound, "DELETE", "/sessions/"+other, nil)
	if c := cookieOf(t, ada.want(204, "DELETE", "/sessions/current", nil)); c == nil || c.Value != "" || c.MaxAge >= 0 {
		t.Errorf("cookie is %+v", c)
	}
	ada.refused(chat.Unauthenticated, "GET", "/me", nil)
}

func TestChangePassword(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	other := &person{n: n, name: "other device", token: ada.token}
	ada.logIn()
	ada.refused(chat.Forbidden, "PUT", "/me/password", object{"current_password": "wrong password", "new_password": "another password"})
	ada.refused(chat.BadRequest, "PUT", "/me/password", object{"current_password": password, "new_password": "short"})
	other.want(200, "GET", "/me", nil)
	ada.want(204, "PUT", "/me/password", object{"current_password": password, "new_password": "another password"})
	ada.want(200, "GET", "/me", nil)
	other.refused(chat.Unauthenticated, "GET", "/me", nil)
	ada.refused(chat.Unauthenticated, "POST", "/sessions", object{"username": "ada", "password": password})
	ada.want(201, "POST", "/sessions", object{"username": "ada", "password": "another password"})
}

// Whoever changes the password second no longer knows the current one.
func TestPasswordChangesAtOnce(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	answers := make(chan int)
	for i := range 4 {
		go func() {
			next := fmt.Sprint("another password ", i)
			answers <- ada.do("PUT", "/me/password", object{"current_password": password, "new_password": next}).status
		}()
	}
	got := map[int]int{}
	for range 4 {
		got[<-answers]++
	}
	if got[204] != 1 || got[403] != 3 {
		t.Errorf("answers by status: %v, want one 204 and three 403", got)
	}
}

// A browser sends every cookie of the name: a stale one may stand before the good one.
func TestEachSessionCookieIsTried(t *testing.T) {
	n := newNode(t, nil)
	ada := n.person("ada")
	nobody := &person{n: n}
	good, stale, odd := "fechatter_session="+ada.token, "fechatter_session="+strings.Repeat("A", 43), "fechatter_session=x"
	for _, cookies := range []string{good + "; " + stale, stale + "; " + good, odd + "; theme=dark; " + stale + "; " + good} {
		me := nobody.want(200, "GET", "/me", nil, "Cookie", cookies)
		if c := cookieOf(t, me); me.field("id") != ada.id || c == nil || c.Value != ada.token {
			t.Errorf("%s: got %s and the cookie %v", cookies, me.raw, c)
		}
	}
	if a := nobody.do("GET", "/me", nil, "Cookie", odd+"; "+stale); a.status != 401 {
		t.Errorf("two stale cookies: %d", a.status)
	}
	many := strings.Repeat(stale+"; ", 3)
	nobody.want(200, "GET", "/me", nil, "Cookie", many+good)
	distinct := ""
	for i := range 9 {
		distinct += fmt.Sprint("fechatter_session=", i, "; ")
	}
	if a := nobody.do("GET", "/me", nil, "Cookie", distinct+good); a.status != 401 {
		t.Errorf("the tenth of ten cookies: %d, want none of so many tried", a.status)
	}
}

func TestSignUpsAndLogInsAreLimitedByAddress(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Quotas = Quotas{SignupsPerIPPerMinute: 2, LoginsPerIPPerMinute: 3} })
	post := func(address, path, body string) answer {
		r := httptest.NewRequest(http.MethodPost, v1+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.RemoteAddr = address + ":1000"
		r.Header.Set("X-Forwarded-For", "192.0.2.99") // of nobody trusted
		w := serve(n.handler, r)
		return answer{status: w.Code, header: w.Header(), raw: w.Body.Bytes()}
	}
	signUp := func(address, name string) answer {
		return post(address, "/users", `{"username":"`+name+`","password":"`+password+`"}`)
	}
	logIn := func(address string) answer {
		return post(address, "/sessions", `{"username":"ada","password":"wrong password"}`)
	}
	for i, want := range []int{201, 201, 429} {
		if a := signUp("203.0.113.1", "user"+string(rune('a'+i))); a.status != want {
			t.Errorf("sign-up %d: got %d %s", i, a.status, a.raw)
		} else if want == 429 && (a.header.Get("Retry-After") == "" || !strings.Contains(string(a.raw), `"retry_after_ms":`)) {
			t.Errorf("the refusal does not tell when to retry: %v %s", a.header, a.raw)
		}
	}
	for i, want := range []int{401, 401, 401, 429} {
		if a := logIn("203.0.113.1"); a.status != want {
			t.Errorf("log-in %d: got %d %s", i, a.status, a.raw)
		}
	}
	if a := signUp("203.0.113.2", "other"); a.status != 201 {
		t.Errorf("another address: got %d %s", a.status, a.raw)
	}
	if a := logIn("203.0.113.2"); a.status != 401 {
		t.Errorf("another address: got %d %s", a.status, a.raw)
	}
}
