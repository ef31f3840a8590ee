package conform

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"

	"fechatter/conform/client"
)

// cast is the users of a check. They are the same throughout, since sign-ups are
// limited, so a check looks at its own chats only.
type cast struct {
	run           *runner
	t             *T
	name          string // part of all their names
	ada, bob, eve *client.Person
}

// person is somebody to sweep up after.
type person = *client.Person

// hire signs up the cast.
func (r *runner) hire(t *T) {
	suffix := make([]byte, 4)
	rand.Read(suffix) // never fails: crypto/rand ends the process instead
	r.cast = cast{run: r, t: t, name: "conform-" + hex.EncodeToString(suffix)}
	if r.setupCode != "" {
		r.setUp()
	}
	r.cast.ada = r.cast.newcomer("ada")
	r.cast.bob = r.cast.newcomer("bob")
	r.cast.eve = r.cast.newcomer("eve")
}

// setUp makes the deployment's first administrator, who invites everybody else.
func (r *runner) setUp() {
	host := r.cast.enter("host", map[string]any{"setup_code": r.setupCode})
	var made struct{ Code string }
	host.Rest("POST", "/invitations", object{"max_uses": 1000}, http.StatusCreated, &made)
	r.invitation = made.Code
}

// castOf returns the cast for a check.
func (r *runner) castOf(t *T) *cast {
	c := r.cast
	c.t = t
	c.ada, c.bob, c.eve = c.ada.As(t, ""), c.bob.As(t, ""), c.eve.As(t, "")
	return &c
}

// newcomer signs up a user for one check.
func (c *cast) newcomer(name string) *client.Person {
	with := map[string]any{}
	if c.run.invitation != "" {
		with["invitation"] = c.run.invitation
	}
	return c.enter(name, with)
}

// enter signs up somebody with what that takes, and remembers to sweep after them.
func (c *cast) enter(name string, with map[string]any) *client.Person {
	p := client.SignUpWith(c.t, c.run.url, c.name+"-"+name, with)
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	c.run.people = append(c.run.people, p)
	return p
}

// limits are what the server enforces, according to hello.
func (c *cast) limits() limits {
	var l limits
	hello := c.ada.Dial().Seen[0]
	decode(c.t, hello.D, &struct {
		Limits *limits `json:"limits"`
	}{&l})
	return l
}
