package conform

import (
	"net/http"
	"strings"

	"fechatter/conform/client"
)

// §4, users.

func signUp(t *T, c *cast) {
	nobody := anonymous(c)
	var raw object
	ask := func(code string, name, password any) {
		refused(t, nobody, code, "POST", "/users", object{"username": name, "password": password})
	}
	ask("conflict", c.ada.Name, client.Password)
	ask("bad_request", "ab", client.Password)
	ask("bad_request", strings.Repeat("x", 33), client.Password)
	ask("bad_request", c.name+"-UPPER", client.Password)
	ask("bad_request", c.name+"-short", "1234567")
	ask("bad_request", c.name+"-long", strings.Repeat("x", 129))
	ask("bad_request", 7, client.Password)
	c.ada.Rest("GET", "/users/"+c.ada.ID, nil, http.StatusOK, &raw)
	has(t, "a user", raw, "id", "username", "display_name", "status_text", "created_at")
	equal(t, "display_name", raw["display_name"], any(c.ada.Name))
}

func profile(t *T, c *cast) {
	var u user
	c.eve.Rest("PATCH", "/me", object{"display_name": "Eve of " + c.name, "status_text": "busy"}, http.StatusOK, &u)
	equal(t, "display_name", u.DisplayName, "Eve of "+c.name)
	c.eve.Rest("PATCH", "/me", object{"status_text": ""}, http.StatusOK, nil)
	seen := get[user](c.ada, "/users/"+c.eve.ID)
	equal(t, "as others see it", seen.DisplayName+"/"+seen.StatusText, "Eve of "+c.name+"/")
	equal(t, "me", get[user](c.eve, "/me").ID, c.eve.ID)
	found := get[struct{ Users []user }](c.ada, "/users?q=eve+of+"+c.name)
	if len(found.Users) != 1 || found.Users[0].ID != c.eve.ID {
		t.Errorf("the directory finds %v", found.Users)
	}
	for _, body := range []object{{"display_name": 1}, {"display_name": ""}, {"status_text": strings.Repeat("x", 10_000)}} {
		refused(t, c.eve, "bad_request", "PATCH", "/me", body)
	}
}

func password(t *T, c *cast) {
	p := c.newcomer("dan")
	other := p.As(t, p.Login("phone"))
	refused(t, p, "forbidden", "PUT", "/me/password", object{"current_password": "wrong horse", "new_password": "battery staple"})
	refused(t, p, "bad_request", "PUT", "/me/password", object{"current_password": client.Password, "new_password": "short"})
	p.Rest("PUT", "/me/password", object{"current_password": client.Password, "new_password": "battery staple"}, http.StatusNoContent, nil)
	refused(t, other, "unauthenticated", "GET", "/me", nil)
	p.Rest("GET", "/me", nil, http.StatusOK, nil)
	nobody := anonymous(c)
	refused(t, nobody, "unauthenticated", "POST", "/sessions", object{"username": p.Name, "password": client.Password})
	nobody.Rest("POST", "/sessions", object{"username": p.Name, "password": "battery staple"}, http.StatusCreated, nil)
}
