package chat

import "context"

// Role is a member's rank in a chat.
type Role string

// The roles, highest first.
const (
	RoleOwner  Role = "owner"
	RoleAdmin  Role = "admin"
	RoleMember Role = "member"
)

func (r Role) rank() int {
	switch r {
	case RoleOwner:
		return 3
	case RoleAdmin:
		return 2
	case RoleMember:
		return 1
	}
	return 0
}

// administers reports whether the role may rename and archive the chat, remove
// members, grant roles and delete others' messages. Every member may do the rest.
func (r Role) administers() bool { return r.rank() >= RoleAdmin.rank() }

// authorize begins every change of a chat, under the lock of its stream. A
// non-member gets not_found, so that the chat's existence is not leaked.
func authorize(ctx context.Context, tx Tx, userID string) (Chat, Member, error) {
	m, err := tx.Member(ctx, userID)
	if CodeOf(err) == NotFound {
		return Chat{}, Member{}, noChat()
	}
	if err != nil {
		return Chat{}, Member{}, err
	}
	c, err := tx.Chat(ctx)
	if err != nil {
		return Chat{}, Member{}, err
	}
	return c, m, nil
}
