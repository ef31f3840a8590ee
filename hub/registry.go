package hub

import (
	"slices"
	"sync"
)

// registry finds the connections of a user. Connections without a user are kept under the empty
// name.
type registry struct {
	mu    sync.Mutex
	users map[string][]*Conn
}

func (r *registry) add(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.link(c, c.user)
}

func (r *registry) remove(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unlink(c)
}

// move sets the user of a connection, unless the user already has most connections (0: no limit). A
// connection that has ended meanwhile stays out.
func (r *registry) move(c *Conn, user string, most int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if most > 0 && len(r.users[user]) >= most {
		return false
	}
	was := r.unlink(c)
	c.mu.Lock()
	c.user = user
	c.mu.Unlock()
	if was {
		r.link(c, user)
	}
	return true
}

func (r *registry) link(c *Conn, user string) {
	if r.users == nil {
		r.users = make(map[string][]*Conn)
	}
	c.index = len(r.users[user])
	r.users[user] = append(r.users[user], c)
}

func (r *registry) unlink(c *Conn) bool {
	list := r.users[c.user]
	if c.index >= len(list) || list[c.index] != c {
		return false
	}
	last := len(list) - 1
	list[c.index] = list[last]
	list[c.index].index = c.index
	list[last] = nil
	if r.users[c.user] = list[:last]; last == 0 {
		delete(r.users, c.user)
	}
	return true
}

func (r *registry) of(user string) []*Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.users[user])
}

func (r *registry) all() (all []*Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, list := range r.users {
		all = append(all, list...)
	}
	return all
}
