package conform

import (
	"fmt"
	"net/http"
	"strings"

	"fechatter/conform/client"
)

// §4, users.

// nobodysID is an id that no user has.
const nobodysID = "0199a0c0-0000-7000-8000-000000000001"

func signUp(t *T, c *cast) {
	nobody := anonymous(c)
	var raw object
	ask := func(code string, name, password any) {
		refused(t, nobody, code, "POST", "/users", object{"username": name, "password": password, "invitation": c.run.invitation})
	}
	ask("conflict", c.ada.Name, client.Password)
	ask("bad_request", "ab", client.Password)
	ask("bad_request", strings.Repeat("x", 33), client.Password)
	ask("bad_request", c.name+"-UPPER", client.Password)
	ask("bad_request", c.name+"-short", "1234567")
	ask("bad_request", c.name+"-long", strings.Repeat("x", 129))
	ask("bad_request", 7, client.Password)
	ask("bad_request", c.name+"-common", "password123")
	ask("bad_request", c.name+"-blank", "          ")
	ask("bad_request", c.name+"-own", c.name+"-own-1")
	ask("conflict", "s.y.s.t.e.m", client.Password)
	c.ada.Rest("GET", "/users/"+c.ada.ID, nil, http.StatusOK, &raw)
	has(t, "a user", raw, "id", "username", "display_name", "status_text", "created_at")
	equal(t, "display_name", raw["display_name"], any(c.ada.Name))
}

func profile(t *T, c *cast) {
	var u user
	c.eve.Rest("PATCH", "/me", object{"display_name": "Eve of " + c.name, "status_text": "busy"}, http.StatusOK, &u)
	c.eve.Rest("PATCH", "/me", object{"status_emoji": "🍜", "time_zone": "Asia/Tokyo", "status_until": "2999-01-01T00:00:00.000Z"}, http.StatusOK, nil)
	var raw object
	c.ada.Rest("GET", "/users/"+c.eve.ID, nil, http.StatusOK, &raw)
	equal(t, "status", fmt.Sprint(raw["status_text"], raw["status_emoji"], raw["status_until"], raw["time_zone"]), "busy🍜2999-01-01T00:00:00.000ZAsia/Tokyo")
	equal(t, "display_name", u.DisplayName, "Eve of "+c.name)
	c.eve.Rest("PATCH", "/me", object{"status_text": "", "status_emoji": ""}, http.StatusOK, nil)
	seen := get[user](c.ada, "/users/"+c.eve.ID)
	equal(t, "as others see it", seen.DisplayName+"/"+seen.StatusText, "Eve of "+c.name+"/")
	equal(t, "me", get[user](c.eve, "/me").ID, c.eve.ID)
	found := get[struct{ Users []user }](c.ada, "/users?q=eve+of+"+c.name)
	if len(found.Users) != 1 || found.Users[0].ID != c.eve.ID {
		t.Errorf("the directory finds %v", found.Users)
	}
	both := get[struct{ Users []user }](c.ada, "/users?id="+c.eve.ID+"&id="+c.ada.ID+"&id="+nobodysID)
	if len(both.Users) != 2 {
		t.Errorf("two users by id: got %v", both.Users)
	}
	refused(t, c.ada, "bad_request", "GET", "/users?id=&id="+c.ada.ID, nil)
	refused(t, c.ada, "bad_request", "GET", "/users?id="+c.ada.ID+strings.Repeat("&id="+nobodysID, 200), nil)
	for _, body := range []object{{"display_name": 1}, {"display_name": ""}, {"display_name": "Еve"}, {"status_text": strings.Repeat("x", 10_000)},
		{"status_emoji": "busy"}, {"status_until": "2020-01-01T00:00:00Z"}, {"time_zone": "../etc"}} {
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
