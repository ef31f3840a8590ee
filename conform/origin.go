package conform

import (
	"net/http"
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
	equal(t, "Secure", strings.Contains(cookie, "Secure"), strings.HasPrefix(c.run.url, "https:"))
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
	c.ada.Rest("PATCH", "/me", object{"status_text": "x"}, http.StatusOK, nil, "Origin", c.run.url)
	c.ada.Rest("PATCH", "/me", object{"status_text": ""}, http.StatusOK, nil)
}

func originOfSockets(t *T, c *cast) {
	for _, origin := range []string{"https://evil.example", "null", c.run.url, ""} {
		own := origin == c.run.url || origin == ""
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
