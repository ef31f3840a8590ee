package load

import (
	"math/rand/v2"
	"sync"
)

// group is a chat and what its people know of it.
type group struct {
	id    string
	owner *person

	mu       sync.Mutex
	out      map[string]bool // who is not in it
	messages []string
}

// note remembers a message to react to.
func (g *group) note(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.messages = append(g.messages, id)
}

func (g *group) message(rng *rand.Rand) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.messages) == 0 {
		return ""
	}
	return g.messages[len(g.messages)-1-rng.IntN(min(len(g.messages), 50))]
}

// flip decides what to do next with a member: remove them, or add them again.
func (g *group) flip(user string) (out bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.out[user] = !g.out[user]
	return g.out[user]
}
