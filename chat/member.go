package chat

import "context"

// Member is a user in a chat. Who left has no Member.
type Member struct {
	UserID   string `json:"user_id"`
	Role     Role   `json:"role"`
	JoinedAt Time   `json:"joined_at"`
	AddedSeq int64  `json:"-"` // seq of the member.added that made this membership
	Muted    bool   `json:"-"`
}

// MemberChange is a change of a membership; nil leaves a field alone. Muted is
// private to the member and makes no event.
type MemberChange struct {
	Role  *Role
	Muted *bool
}

// Members lists a chat's members by the time they joined.
func (s *Service) Members(ctx context.Context, userID, chatID string, p Page) ([]Member, string, error) {
	if !ValidID(chatID) {
		return nil, "", noChat()
	}
	return s.store.Members(ctx, userID, chatID, p)
}

// Join makes the user a member of a public chat and answers the entry; for who
// is a member already it changes nothing.
func (s *Service) Join(ctx context.Context, userID, chatID string) (Entry, error) {
	if !ValidID(chatID) {
		return Entry{}, noChat()
	}
	err := s.change(ctx, chatID, []string{userID}, func(ctx context.Context, tx Tx) error {
		_, err := tx.Member(ctx, userID)
		if CodeOf(err) != NotFound {
			return err
		}
		c, err := tx.Chat(ctx)
		if err != nil {
			return err
		}
		if c.Kind != Public {
			return noChat()
		}
		if err := s.mayEnter(ctx, tx, c, userID); err != nil {
			return err
		}
		return enter(ctx, tx, userID, RoleMember, userID)
	})
	if err != nil {
		return Entry{}, err
	}
	return s.store.Entry(ctx, userID, chatID)
}

// AddMember adds a user to a chat; any member may, up to their own role. Who is
// a member already is answered as they are, with added = false.
func (s *Service) AddMember(ctx context.Context, actorID, chatID, userID string, role Role) (m Member, added bool, err error) {
	if role == "" {
		role = RoleMember
	}
	if role.rank() == 0 {
		return Member{}, false, Errorf(BadRequest, "role must be owner, admin or member")
	}
	if !ValidID(chatID) {
		return Member{}, false, noChat()
	}
	if !ValidID(userID) {
		return Member{}, false, Errorf(NotFound, "there is no such user")
	}
	err = s.change(ctx, chatID, []string{userID}, func(ctx context.Context, tx Tx) error {
		added = false
		c, actor, err := authorize(ctx, tx, actorID)
		if err != nil {
			return err
		}
		if m, err = tx.Member(ctx, userID); CodeOf(err) != NotFound {
			return err
		}
		switch {
		case c.Kind == Direct:
			return Errorf(Conflict, "a direct chat cannot be extended")
		case role.rank() > actor.Role.rank():
			return Errorf(Forbidden, "nobody grants a role above their own")
		}
		if err := s.mayEnter(ctx, tx, c, userID); err != nil {
			return err
		}
		added = true
		if err := enter(ctx, tx, userID, role, actorID); err != nil {
			return err
		}
		m, err = tx.Member(ctx, userID)
		return err
	})
	return m, added && err == nil, err
}

// UpdateMember changes a role, for admins and for stepping down, or one's own
// muting. Nobody grants a role above their own or acts on a higher one.
func (s *Service) UpdateMember(ctx context.Context, actorID, chatID, userID string, ch MemberChange) (m Member, err error) {
	if ch.Role != nil && ch.Role.rank() == 0 {
		return Member{}, Errorf(BadRequest, "role must be owner, admin or member")
	}
	if !ValidID(chatID) || !ValidID(userID) {
		return Member{}, noChat()
	}
	err = s.change(ctx, chatID, nil, func(ctx context.Context, tx Tx) error {
		c, actor, err := authorize(ctx, tx, actorID)
		if err != nil {
			return err
		}
		if m, err = tx.Member(ctx, userID); err != nil {
			return err
		}
		if ch.Muted != nil {
			if actorID != userID {
				return Errorf(Forbidden, "muted is one's own")
			}
			m.Muted = *ch.Muted
		}
		if err := changeRole(ctx, tx, c, actor, &m, ch.Role); err != nil {
			return err
		}
		return tx.SaveMember(ctx, m)
	})
	return m, err
}

func changeRole(ctx context.Context, tx Tx, c Chat, actor Member, m *Member, role *Role) error {
	if role == nil {
		return nil
	}
	stepsDown := actor.UserID == m.UserID && role.rank() <= actor.Role.rank()
	switch {
	case c.Kind == Direct:
		return Errorf(Conflict, "a direct chat has no roles")
	case !actor.Role.administers() && !stepsDown:
		return Errorf(Forbidden, "this needs the role admin or owner")
	case role.rank() > actor.Role.rank() || m.Role.rank() > actor.Role.rank():
		return Errorf(Forbidden, "nobody grants a role above their own or acts on a higher one")
	case *role == m.Role:
		return nil
	}
	if m.Role == RoleOwner {
		if err := anotherOwner(ctx, tx, c); err != nil {
			return err
		}
	}
	m.Role = *role
	_, err := tx.Append(ctx, Event{Op: OpMemberUpdated, ActorID: actor.UserID,
		D: MemberEvent{UserID: m.UserID, Role: m.Role, By: actor.UserID}})
	return err
}

// RemoveMember removes a user, for admins, or lets one leave, and answers the
// seq of the removal: that member gets no event after it.
func (s *Service) RemoveMember(ctx context.Context, actorID, chatID, userID string) (seq int64, err error) {
	if !ValidID(chatID) || !ValidID(userID) {
		return 0, noChat()
	}
	err = s.change(ctx, chatID, []string{userID}, func(ctx context.Context, tx Tx) error {
		c, actor, err := authorize(ctx, tx, actorID)
		if err != nil {
			return err
		}
		m, err := tx.Member(ctx, userID)
		if err != nil {
			return err
		}
		if err := mayRemove(ctx, tx, c, actor, m); err != nil {
			return err
		}
		if err := tx.DeleteMember(ctx, userID); err != nil {
			return err
		}
		seq, err = tx.Append(ctx, Event{Op: OpMemberRemoved, ActorID: actorID, Subject: userID,
			D: MemberEvent{UserID: userID, By: actorID}})
		if err != nil {
			return err
		}
		return tx.AppendPersonal(ctx, userID, Event{Op: OpChatLeft, D: ChatLeft{ChatID: chatID, Seq: seq}})
	})
	return seq, err
}

func mayRemove(ctx context.Context, tx Tx, c Chat, actor, m Member) error {
	switch {
	case c.Kind == Direct:
		return Errorf(Conflict, "a direct chat cannot be left")
	case actor.UserID == m.UserID:
	case !actor.Role.administers():
		return Errorf(Forbidden, "this needs the role admin or owner")
	case m.Role.rank() > actor.Role.rank():
		return Errorf(Forbidden, "nobody acts on a higher role")
	}
	if m.Role == RoleOwner {
		return anotherOwner(ctx, tx, c)
	}
	return nil
}

// anotherOwner refuses what would leave members without an owner.
func anotherOwner(ctx context.Context, tx Tx, c Chat) error {
	owners, err := tx.Owners(ctx)
	if err != nil {
		return err
	}
	if owners < 2 && c.MemberCount > 1 {
		return Errorf(Conflict, "the last owner cannot leave or step down while others remain")
	}
	return nil
}

func (s *Service) mayEnter(ctx context.Context, tx Tx, c Chat, userID string) error {
	if c.Archived {
		return Errorf(Conflict, "this chat is archived")
	}
	if c.MemberCount >= s.limits.ChatMembers {
		return Errorf(Conflict, "this chat has its %d members already", s.limits.ChatMembers)
	}
	return s.mayBeMembers(ctx, tx, []string{userID})
}

func (s *Service) mayBeMembers(ctx context.Context, tx Tx, userIDs []string) error {
	counts, err := tx.ChatCounts(ctx, userIDs)
	if err != nil {
		return err
	}
	for _, id := range userIDs {
		n, known := counts[id]
		if !known {
			return Errorf(NotFound, "there is no such user")
		}
		if n >= s.limits.ChatsPerUser {
			return Errorf(Conflict, "a user can be in at most %d chats", s.limits.ChatsPerUser)
		}
	}
	return nil
}

// enter writes a new membership, its event and the personal event that wakes
// the user's connections.
func enter(ctx context.Context, tx Tx, userID string, role Role, by string) error {
	seq, err := tx.Append(ctx, Event{Op: OpMemberAdded, ActorID: by, Subject: userID,
		D: MemberEvent{UserID: userID, Role: role, By: by}})
	if err != nil {
		return err
	}
	m := Member{UserID: userID, Role: role, JoinedAt: tx.Now(), AddedSeq: seq}
	if err := tx.InsertMember(ctx, m); err != nil {
		return err
	}
	return tx.AppendPersonal(ctx, userID, Event{Op: OpChatJoined, D: ChatJoined{ChatID: tx.ChatID(), Seq: seq}})
}
