package conform

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"fechatter/conform/client"
)

// §3, origins and credentials.

func byCookie(t *T, c *cast) {
	nobody := anonymous(c)
	nobody.Rest("GET", "/me", nil, http.StatusOK, nil, "Cookie", "fechatter_session="+c.ada.Token)
	s := client.Dial(t, c.run.url, http.Header{"Cookie": {"fechatter_session=" + c.ada.Token}})
	equal(t, "user_id", s.Want("hello").Field(t, "user_id"), any(c.ada.ID))
	a := nobody.Ask("POST", "/sessions", object{"username": c.ada.Name, "password": client.Password})
	cookie := a.Header.Get("Set-Cookie")
	var login struct{ Token string }
	a.Read(t, &login)
	c.ada.As(t, login.Token).Rest("DELETE", "/sessions/current", nil, http.StatusNoContent, nil)
	for _, part := range []string{"fechatter_session=" + login.Token, "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the cookie has no %s", strings.SplitN(part, "=", 2)[0])
		}
	}
	if origin := ownOrigin(c); origin != "" {
		equal(t, "Secure", strings.Contains(cookie, "Secure"), strings.HasPrefix(origin, "https:"))
	}
}

// foreignHost asks for a path under a name that no server has.
func foreignHost(c *cast, path string) client.Answer {
	return client.Do(c.t, "GET", c.run.url+path, nil, http.Header{"Host": {"conform.invalid"}})
}

// ownOrigin returns the origin whose pages may use the server; "" if the server has a
// public_url, was reached by an address instead, and nobody said what it is.
func ownOrigin(c *cast) string {
	u, err := url.Parse(c.run.origin)
	if err != nil {
		return ""
	}
	_, err = netip.ParseAddr(u.Hostname())
	direct := err == nil || u.Hostname() == "localhost"
	if direct && foreignHost(c, "/").Status == http.StatusMisdirectedRequest && c.run.origin == c.run.url {
		return ""
	}
	return c.run.origin
}

const originUnknown = "the server has a public_url; say which with --origin"

func otherNames(t *T, c *cast) {
	if status := foreignHost(c, "/").Status; status != http.StatusMisdirectedRequest && status != http.StatusBadRequest {
		t.Skipf("the server has no public_url")
	}
	for _, path := range []string{"/api/v1/me", "/api/v1/chats", "/openapi.json", "/nothing"} {
		a := foreignHost(c, path)
		equal(t, path+" under another name is refused", a.Status == http.StatusMisdirectedRequest || a.Status == http.StatusBadRequest, true)
	}
	equal(t, "/livez under another name", foreignHost(c, "/livez").Status, http.StatusOK)
}

func crossOrigin(t *T, c *cast) {
	nobody := anonymous(c)
	signUp := object{"username": c.name + "-no", "password": client.Password}
	logIn := object{"username": c.ada.Name, "password": client.Password}
	for _, origin := range []string{"https://evil.example", "null", "http://" + c.name + ".example:1"} {
		refused(t, nobody, "forbidden", "POST", "/users", signUp, "Origin", origin)
		refused(t, nobody, "forbidden", "POST", "/sessions", logIn, "Origin", origin)
		refused(t, c.ada, "forbidden", "POST", "/chats", object{"kind": "group"}, "Origin", origin)
		refused(t, c.ada, "forbidden", "PATCH", "/me", object{"status_text": "x"}, "Origin", origin)
		refused(t, nobody, "forbidden", "DELETE", "/sessions/current", nil, "Origin", origin, "Cookie", "fechatter_session="+c.ada.Token)
	}
	refused(t, nobody, "forbidden", "PATCH", "/me", object{"status_text": "x"},
		"Sec-Fetch-Site", "cross-site", "Cookie", "fechatter_session="+c.ada.Token)
	own := ownOrigin(c)
	if own == "" {
		t.Skipf(originUnknown)
	}
	c.ada.Rest("PATCH", "/me", object{"status_text": "x"}, http.StatusOK, nil, "Origin", own)
	c.ada.Rest("PATCH", "/me", object{"status_text": ""}, http.StatusOK, nil)
}

func originOfSockets(t *T, c *cast) {
	of := ownOrigin(c)
	for _, origin := range []string{"https://evil.example", "null", of, ""} {
		own := origin == of || origin == ""
		upgrade := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
		stream := http.Header{"Authorization": {"Bearer " + c.ada.Token}}
		if origin != "" {
			upgrade.Set("Origin", origin)
			stream.Set("Origin", origin)
		}
		if own { // an upgrade that succeeds has no answer to read: a client looks for hello
			header := http.Header{"Authorization": {"Bearer " + c.ada.Token}}
			if origin != "" {
				header.Set("Origin", origin)
			}
			client.Dial(t, c.run.url, header).Want("hello")
			continue
		}
		a := client.Do(t, "GET", c.run.url+"/ws", nil, upgrade)
		equal(t, "WebSocket from "+origin, a.Status, http.StatusForbidden)
		a = client.Do(t, "GET", c.run.url+"/api/v1/events", nil, stream)
		equal(t, "SSE from "+origin, a.Status, http.StatusForbidden)
	}
}

func noCORS(t *T, c *cast) {
	for _, a := range []client.Answer{
		c.ada.Do("GET", "/me", nil, "Origin", "https://evil.example"),
		c.ada.Do("OPTIONS", "/me", nil, "Origin", "https://evil.example", "Access-Control-Request-Method", "PATCH"),
	} {
		for name := range a.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("the answer has %s", name)
			}
		}
	}
}
