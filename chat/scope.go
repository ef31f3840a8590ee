package chat

import (
	"encoding/json"
	"strings"
)

// Scopes are what a key may be used for, each one a bit.
type Scopes uint8

// The scopes of the wire contract.
const (
	ScopeRead   Scopes = 1 << iota // chats, messages, people; and to say what was read
	ScopeSend                      // messages, reactions, typing, signals
	ScopeManage                    // chats and members
	ScopeSearch
	ScopeActAs // in the name of others
	ScopeAdmin
)

// ScopeAny is asked of what every key may do.
const ScopeAny Scopes = 1 << 7

func scopeNames() []string { return []string{"read", "send", "manage", "search", "act_as", "admin"} }

// ParseScopes reads scopes by their names. Errors: bad_request for an unknown one, and for none.
func ParseScopes(names []string) (Scopes, error) {
	var all Scopes
	for _, name := range names {
		one := scopeNamed(name)
		if one == 0 {
			return 0, Errorf(BadRequest, "there is no scope %q: scopes are %s", name, strings.Join(scopeNames(), ", "))
		}
		all |= one
	}
	if all == 0 {
		return 0, Errorf(BadRequest, "scopes must name at least one of %s", strings.Join(scopeNames(), ", "))
	}
	return all, nil
}

func scopeNamed(name string) Scopes {
	for i, known := range scopeNames() {
		if name == known {
			return 1 << i
		}
	}
	return 0
}

// Names returns the scopes by their names.
func (s Scopes) Names() []string {
	names := []string{}
	for i, name := range scopeNames() {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String returns the names with commas.
func (s Scopes) String() string { return strings.Join(s.Names(), ", ") }

// MarshalJSON implements json.Marshaler.
func (s Scopes) MarshalJSON() ([]byte, error) { return json.Marshal(s.Names()) }

// Admit is the one place that decides what a session may be used for: those of people for
// everything that is not for keys alone, keys for what their scopes name. What names no scope
// is not for keys. Errors: forbidden.
func (s Session) Admit(needed Scopes) error {
	switch {
	case s.KeyOf == "" && needed&ScopeActAs != 0:
		return Errorf(Forbidden, "only a key with the scope act_as acts in the name of others")
	case s.KeyOf == "" || needed == ScopeAny:
		return nil
	case needed == 0:
		return Errorf(Forbidden, "no key may do this: it is for people who have logged in")
	case s.Scopes&needed != needed:
		return Errorf(Forbidden, "this takes a key with the scope %s", needed)
	}
	return nil
}

// Actor returns who acts by a session.
func (s Session) Actor() Actor {
	if s.KeyOf == "" {
		return Actor{userID: s.UserID}
	}
	return Actor{userID: s.UserID, byKey: true, scopes: s.Scopes, delegated: s.UserID == s.KeyOf && s.Scopes&ScopeAdmin != 0}
}
