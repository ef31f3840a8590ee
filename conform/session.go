package conform

import (
	"net/http"

	"fechatter/conform/client"
)

// §4, sessions.

func logIn(t *T, c *cast) {
	nobody := anonymous(c)
	a := nobody.Ask("POST", "/sessions", object{"username": c.bob.Name, "password": client.Password, "device": "check"})
	var raw object
	a.Read(t, &raw)
	equal(t, "status", a.Status, http.StatusCreated)
	has(t, "a log-in", raw, "token", "expires_at", "user")
	token, _ := raw["token"].(string)
	again := c.bob.As(t, token)
	current := 0
	for _, s := range get[struct{ Sessions []session }](again, "/sessions").Sessions {
		if s.Current {
			current++
			equal(t, "device", s.Device, "check")
		}
	}
	equal(t, "current sessions", current, 1)
	again.Rest("DELETE", "/sessions/current", nil, http.StatusNoContent, nil)
	refused(t, again, "unauthenticated", "GET", "/me", nil)
	wrong := refused(t, nobody, "unauthenticated", "POST", "/sessions", object{"username": c.bob.Name, "password": "wrong horse"})
	unknown := refused(t, nobody, "unauthenticated", "POST", "/sessions", object{"username": c.name + "-none", "password": "wrong horse"})
	equal(t, "an unknown name, compared with a wrong password", unknown, wrong)
}

// revocation ends everything open with a session, and nothing else.
func revocation(t *T, c *cast) {
	phone := c.bob.As(t, c.bob.Login("phone"))
	mine, socket, stream := c.bob.Fresh(), phone.Fresh(), phone.Stream("")
	stream.Want("ready")
	id, _ := socket.Seen[0].Field(t, "session_id").(string)
	refused(t, c.eve, "not_found", "DELETE", "/sessions/"+id, nil)
	c.bob.Rest("DELETE", "/sessions/"+id, nil, http.StatusNoContent, nil)
	within(t, "closing a revoked session's connections", soon, func() {
		socket.Closes(4500)
		stream.Ends()
	})
	refused(t, phone, "unauthenticated", "GET", "/me", nil)
	event := mine.Want("session.revoked")
	equal(t, "session_id", event.Field(t, "session_id"), any(id))
	mine.OK("ping", object{})
	refused(t, c.bob, "not_found", "DELETE", "/sessions/"+id, nil)
}
