package conform

import (
	"crypto/rand"
	"encoding/hex"

	"fechatter/conform/client"
)

// cast is who takes part in a check. They are the same users all along, for
// sign-ups are limited, so a check looks at its own chats only.
type cast struct {
	run           *runner
	t             *T
	name          string // in all their names
	ada, bob, eve *client.Person
}

// person is somebody to sweep after.
type person = *client.Person

// hire signs the cast up.
func (r *runner) hire(t *T) {
	suffix := make([]byte, 4)
	rand.Read(suffix) // never fails: crypto/rand ends the process instead
	r.cast = cast{run: r, t: t, name: "conform-" + hex.EncodeToString(suffix)}
	r.cast.ada = r.cast.newcomer("ada")
	r.cast.bob = r.cast.newcomer("bob")
	r.cast.eve = r.cast.newcomer("eve")
}

// castOf gives the cast to a check.
func (r *runner) castOf(t *T) *cast {
	c := r.cast
	c.t = t
	c.ada, c.bob, c.eve = c.ada.As(t, ""), c.bob.As(t, ""), c.eve.As(t, "")
	return &c
}

// newcomer signs up a user for the check alone.
func (c *cast) newcomer(name string) *client.Person {
	p := client.SignUp(c.t, c.run.url, c.name+"-"+name)
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	c.run.people = append(c.run.people, p)
	return p
}

// limits are what hello says that the server enforces.
func (c *cast) limits() limits {
	var l limits
	hello := c.ada.Dial().Seen[0]
	decode(c.t, hello.D, &struct {
		Limits *limits `json:"limits"`
	}{&l})
	return l
}
