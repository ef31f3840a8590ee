package chat

import "context"

// Member is a user in a chat. A former member has none.
type Member struct {
	UserID   string `json:"user_id"`
	Role     Role   `json:"role"`
	JoinedAt Time   `json:"joined_at"`
	AddedSeq int64  `json:"-"` // seq of the member.added that made this membership

	// What follows is private to the member.

	Muted    bool     `json:"-"`
	Hidden   bool     `json:"-"` // out of the list until the next message
	Standing Standing `json:"-"`
	Bar      Bar      `json:"-"` // in a direct chat, between the member and the other one
}

// MemberChange is a change to a membership; nil leaves a field alone. Muted and Hidden
// are private to the member and make no event.
type MemberChange struct {
	Role          *Role
	Muted, Hidden *bool
}

// Members lists a chat's members by the time they joined.
func (s *Service) Members(ctx context.Context, userID, chatID string, p Page) ([]Member, string, error) {
	if !ValidID(chatID) {
		return nil, "", noChat()
	}
	return s.store.Members(ctx, userID, chatID, p)
}

// Join makes the user a member of a public chat and returns the entry. A user who is
// already a member accepts it, which changes nothing for one who has.
func (s *Service) Join(ctx context.Context, userID, chatID string) (Entry, error) {
	if !ValidID(chatID) {
		return Entry{}, noChat()
	}
	cost := costOf(0)
	cost.Join = chatID
	err := s.change(ctx, userID, Change{ChatID: chatID, UserIDs: []string{userID}}, cost, func(ctx context.Context, tx Tx) error {
		m, err := tx.Member(ctx, userID)
		if err == nil {
			return s.accept(ctx, tx, m)
		}
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
		if err := s.mayEnter(c); err != nil {
			return err
		}
		if err := s.mayHaveMore(ctx, tx, userID); err != nil {
			return err
		}
		return enter(ctx, tx, userID, Member{UserID: userID, Role: RoleMember, Standing: Accepted})
	})
	if err != nil && CodeOf(err) != RateLimited {
		return Entry{}, err
	}
	e, missing := s.store.Entry(ctx, userID, chatID)
	if err != nil && missing != nil {
		return Entry{}, err
	}
	return e, missing // of a member, who has asked for nothing new, even if limited
}

// AddMember adds a user to a chat. Any member may, with a role up to their own. A
// user who is already a member is returned unchanged, with added = false. For a user who
// does not know the actor the chat is a request.
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
		return Member{}, false, noUser()
	}
	p := &putting{actorID: actorID, userIDs: []string{userID}}
	err = s.put(ctx, p, Change{ChatID: chatID, UserIDs: p.userIDs}, costOf(0), func(ctx context.Context, tx Tx) error {
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
			return Errorf(Conflict, "nobody can be added to a direct chat")
		case role.rank() > actor.Role.rank():
			return Errorf(Forbidden, "you cannot grant a role above your own")
		}
		if err := s.mayEnter(c); err != nil {
			return err
		}
		boxes, err := p.inboxes(ctx, tx, c.Kind)
		if err != nil {
			return err
		}
		standings, err := s.admit(ctx, tx, p, boxes)
		if err != nil {
			return err
		}
		added = true
		if err := enter(ctx, tx, actorID, Member{UserID: userID, Role: role, Standing: standings[userID]}); err != nil {
			return err
		}
		m, err = tx.Member(ctx, userID)
		return err
	})
	return m, added && err == nil, err
}

// UpdateMember changes a role, for admins and members who step down, or what the
// actor's own membership is set to. Nobody can grant a role above their own or change a member
// who has one.
func (s *Service) UpdateMember(ctx context.Context, actorID, chatID, userID string, ch MemberChange) (m Member, err error) {
	if ch.Role != nil && ch.Role.rank() == 0 {
		return Member{}, Errorf(BadRequest, "role must be owner, admin or member")
	}
	if !ValidID(chatID) || !ValidID(userID) {
		return Member{}, noChat()
	}
	err = s.change(ctx, actorID, Change{ChatID: chatID}, costOf(0), func(ctx context.Context, tx Tx) error {
		c, actor, err := authorize(ctx, tx, actorID)
		if err != nil {
			return err
		}
		if m, err = tx.Member(ctx, userID); err != nil {
			return err
		}
		if err := changeOwn(actorID, &m, ch); err != nil {
			return err
		}
		if err := changeRole(ctx, tx, c, actor, &m, ch.Role); err != nil {
			return err
		}
		return tx.SaveMember(ctx, m)
	})
	return m, err
}

// changeOwn changes what is private to the member.
func changeOwn(actorID string, m *Member, ch MemberChange) error {
	if ch.Muted == nil && ch.Hidden == nil {
		return nil
	}
	if actorID != m.UserID {
		return Errorf(Forbidden, "you can mute or hide a chat only for yourself")
	}
	if ch.Muted != nil {
		m.Muted = *ch.Muted
	}
	if ch.Hidden != nil {
		m.Hidden = *ch.Hidden
	}
	return nil
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
		return Errorf(Forbidden, "this requires the role admin or owner")
	case role.rank() > actor.Role.rank() || m.Role.rank() > actor.Role.rank():
		return Errorf(Forbidden, "you can neither grant a role above your own nor change a member who has one")
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

// RemoveMember removes a member, for admins, or lets the actor leave: a request, which
// may be a direct chat, is declined so. It returns the seq of the removal: the removed
// member receives no event after it.
func (s *Service) RemoveMember(ctx context.Context, actorID, chatID, userID string) (seq int64, err error) {
	if !ValidID(chatID) || !ValidID(userID) {
		return 0, noChat()
	}
	err = s.change(ctx, actorID, Change{ChatID: chatID, UserIDs: []string{userID}}, costOf(0), func(ctx context.Context, tx Tx) error {
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
		seq, err = depart(ctx, tx, userID, actorID)
		return err
	})
	return seq, err
}

// depart deletes a membership, and writes its event and the personal one. It returns the
// seq of the first.
func depart(ctx context.Context, tx Tx, userID, by string) (seq int64, err error) {
	if err := tx.DeleteMember(ctx, userID); err != nil {
		return 0, err
	}
	seq, err = tx.Append(ctx, Event{Op: OpMemberRemoved, ActorID: by, Subject: userID, D: MemberEvent{UserID: userID, By: by}})
	if err != nil {
		return 0, err
	}
	return seq, tx.AppendPersonal(ctx, userID, Event{Op: OpChatLeft, D: ChatLeft{ChatID: tx.ChatID(), Seq: seq}})
}

func mayRemove(ctx context.Context, tx Tx, c Chat, actor, m Member) error {
	switch {
	case actor.UserID == m.UserID && m.Standing == Requested:
		return nil // whoever was put in must be able to decline, even as its only owner
	case c.Kind == Direct:
		return Errorf(Conflict, "a direct chat cannot be left")
	case actor.UserID == m.UserID:
	case !actor.Role.administers():
		return Errorf(Forbidden, "this requires the role admin or owner")
	case m.Role.rank() > actor.Role.rank():
		return Errorf(Forbidden, "you cannot remove a member with a role above your own")
	}
	if m.Role == RoleOwner {
		return anotherOwner(ctx, tx, c)
	}
	return nil
}

// anotherOwner refuses a change that would leave the other members without an owner.
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

func (s *Service) mayEnter(c Chat) error {
	if c.Archived {
		return Errorf(Conflict, "this chat is archived")
	}
	if c.MemberCount >= s.limits.ChatMembers {
		return Errorf(Conflict, "this chat already has %d members, the most it can have", s.limits.ChatMembers)
	}
	return nil
}

// enter writes new memberships, their events, and the personal events that wake the
// users' connections. It sets when the members joined, and at which seq.
func enter(ctx context.Context, tx Tx, by string, members ...Member) error {
	for i := range members {
		m := &members[i]
		seq, err := tx.Append(ctx, Event{Op: OpMemberAdded, ActorID: by, Subject: m.UserID,
			D: MemberEvent{UserID: m.UserID, Role: m.Role, By: by}})
		if err != nil {
			return err
		}
		m.JoinedAt, m.AddedSeq = tx.Now(), seq
	}
	if err := tx.InsertMembers(ctx, members); err != nil {
		return err
	}
	for _, m := range members {
		joined := Event{Op: OpChatJoined, D: ChatJoined{ChatID: tx.ChatID(), Seq: m.AddedSeq}}
		if err := tx.AppendPersonal(ctx, m.UserID, joined); err != nil {
			return err
		}
	}
	return nil
}
