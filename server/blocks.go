package server

import "sync"

// blocks knows whom the users who are connected here have blocked, as far as they have
// blocked anybody. Its methods may be called concurrently.
type blocks struct {
	mu    sync.RWMutex
	lists map[string]*blockList
	by    map[string]map[string]struct{} // by whom somebody is blocked
}

// blockList is one user's. The connections that have read it hold it.
type blockList struct {
	blocked map[string]struct{}
	holders map[*connection]struct{}
}

func newBlocks() *blocks {
	return &blocks{lists: map[string]*blockList{}, by: map[string]map[string]struct{}{}}
}

// set notes what a connection has read of its user's blocks.
func (b *blocks) set(user string, holder *connection, blocked []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lists[user]
	if l == nil {
		if len(blocked) == 0 {
			return
		}
		l = &blockList{holders: map[*connection]struct{}{}}
		b.lists[user] = l
	}
	l.holders[holder] = struct{}{}
	b.replace(user, l, blocked)
}

// release forgets a connection, and the list with the last one.
func (b *blocks) release(user string, holder *connection) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lists[user]
	if l == nil {
		return
	}
	if delete(l.holders, holder); len(l.holders) == 0 {
		b.replace(user, l, nil)
		delete(b.lists, user)
	}
}

func (b *blocks) replace(user string, l *blockList, blocked []string) {
	for id := range l.blocked {
		if delete(b.by[id], user); len(b.by[id]) == 0 {
			delete(b.by, id)
		}
	}
	l.blocked = make(map[string]struct{}, len(blocked))
	for _, id := range blocked {
		l.blocked[id] = struct{}{}
		if b.by[id] == nil {
			b.by[id] = map[string]struct{}{}
		}
		b.by[id][user] = struct{}{}
	}
}

// blockers returns the users here who have blocked any of these, and which.
func (b *blocks) blockers(of []string) map[string]map[string]bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var found map[string]map[string]bool
	for _, id := range of {
		for user := range b.by[id] {
			if found == nil {
				found = map[string]map[string]bool{}
			}
			if found[user] == nil {
				found[user] = map[string]bool{}
			}
			found[user][id] = true
		}
	}
	return found
}
