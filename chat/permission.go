package chat

import "context"

// Role is a member's rank in a chat.
type Role string

// The roles, the highest first.
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

// action is what a member wants to do in a chat. Each has the lowest role that may.
type action int

const (
	actTakePart   action = iota // send, react, edit and delete one's own, invite, leave
	actAdminister               // rename, archive, remove members, give roles, delete others' messages
)

func (r Role) may(a action) bool {
	if a == actAdminister {
		return r.rank() >= RoleAdmin.rank()
	}
	return r.rank() >= RoleMember.rank()
}

// authorize is where every change of a chat is allowed or refused, under the
// lock of its stream: not_found for who is not a member, so that existence is
// not leaked, and forbidden for a member without the role.
func (s *Service) authorize(ctx context.Context, tx Tx, userID string, a action) (Chat, Member, error) {
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
	if !m.Role.may(a) {
		return Chat{}, Member{}, Errorf(Forbidden, "this needs the role admin or owner")
	}
	return c, m, nil
}
