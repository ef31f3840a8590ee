package server

import (
	"slices"
	"strings"
)

// place is a chat that the client believes its user to be in: attached to its stream,
// or about to leave it.
type place struct {
	chatID   string
	added    int64
	left     int64 // seq of a removal that the chat's stream has not reached; 0: none
	attached bool
}

// places holds a connection's chats by id, in a sorted slice because every
// connection has one: a map of a few chats costs several times as much.
type places []place

func (p places) find(chatID string) (int, bool) {
	return slices.BinarySearchFunc(p, chatID, func(e place, id string) int { return strings.Compare(e.chatID, id) })
}

func (p places) get(chatID string) (place, bool) {
	i, ok := p.find(chatID)
	if !ok {
		return place{}, false
	}
	return p[i], true
}

func (p *places) set(e place) {
	i, ok := p.find(e.chatID)
	if ok {
		(*p)[i] = e
		return
	}
	*p = slices.Insert(*p, i, e)
}

func (p *places) remove(chatID string) {
	if i, ok := p.find(chatID); ok {
		*p = slices.Delete(*p, i, i+1)
	}
}

// beyond reports whether there is a chat that is not among ids.
func (p places) beyond(ids []string) bool {
	among := make(map[string]bool, len(ids))
	for _, id := range ids {
		among[id] = true
	}
	return slices.ContainsFunc(p, func(e place) bool { return !among[e.chatID] })
}
