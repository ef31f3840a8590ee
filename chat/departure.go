package chat

import "context"

// JobDeparture is the job that takes whoever has deleted their account out of their chats.
const JobDeparture JobKind = "departure"

// heirPage is how many members are read at once to find who is to own a chat.
const heirPage = 200

// deletedName is what a deleted user is called.
const deletedName = "Deleted user"

// DepartureJob returns the job of a user who has deleted their account.
func DepartureJob(userID string) Job { return Job{Kind: JobDeparture, Key: userID} }

// DeleteAccount deletes a user's own account: their sessions end, their profile and whatever
// they could sign in with are gone, and a job calls Depart. What they have written stays, and
// so does the username, for nobody else. Errors: forbidden for a wrong password, conflict for
// the last administrator.
func (s *Service) DeleteAccount(ctx context.Context, userID, password string) (revoked int, err error) {
	_, hash, err := s.verifyOwn(ctx, userID, password)
	if err != nil {
		return 0, err
	}
	err = s.store.Administer(ctx, userID, func(ctx context.Context, tx AdminTx) error {
		a, err := tx.Account(ctx, userID)
		if err != nil {
			return err
		}
		if err := othersAdminister(ctx, tx, a); err != nil {
			return err
		}
		// First: from here on no new session can be opened.
		if err := tx.DeleteUser(ctx, userID, hash, deletedName); err != nil {
			return err
		}
		revoked, err = tx.RevokeSessions(ctx, userID)
		return err
	})
	return revoked, err
}

// Depart takes a deleted user out of every chat that can be left: in a direct chat the other
// keeps what was said. Where the user is the last owner, it makes the member of the highest
// role, of those the one who came first, an owner. It goes on where it was interrupted.
func (s *Service) Depart(ctx context.Context, userID string) error {
	chats, err := s.store.ChatIDs(ctx, userID)
	if err != nil {
		return err
	}
	for _, id := range chats {
		if err := s.departFrom(ctx, userID, id); err != nil && CodeOf(err) != NotFound {
			return err
		}
	}
	return nil
}

func (s *Service) departFrom(ctx context.Context, userID, chatID string) error {
	heir, err := s.heir(ctx, userID, chatID)
	if err != nil {
		return err
	}
	change := Change{OpID: s.newID(), ChatID: chatID, UserIDs: []string{userID}}
	return s.store.Change(ctx, change, func(ctx context.Context, tx Tx) error {
		c, m, err := authorize(ctx, tx, userID)
		if err != nil || c.Kind == Direct {
			return err
		}
		if m.Role == RoleOwner {
			err = anotherOwner(ctx, tx, c)
		}
		if CodeOf(err) == Conflict {
			err = inherit(ctx, tx, userID, heir)
		}
		if err != nil {
			return err
		}
		_, err = depart(ctx, tx, userID, userID)
		return err
	})
}

// inherit makes a member an owner in place of the user. Errors: unavailable if they have left
// since they were chosen.
func inherit(ctx context.Context, tx Tx, userID, heir string) error {
	m, err := tx.Member(ctx, heir)
	if CodeOf(err) == NotFound {
		return Errorf(Unavailable, "whoever was to own the chat has left it")
	}
	if err != nil {
		return err
	}
	m.Role = RoleOwner
	if _, err := tx.Append(ctx, Event{Op: OpMemberUpdated, ActorID: userID, D: MemberEvent{UserID: heir, Role: RoleOwner, By: userID}}); err != nil {
		return err
	}
	return tx.SaveMember(ctx, m)
}

// heir returns who of the other members would own the chat, "" if there is nobody else.
func (s *Service) heir(ctx context.Context, userID, chatID string) (string, error) {
	var heir Member
	p := Page{Limit: heirPage}
	for {
		members, next, err := s.store.Members(ctx, userID, chatID, p)
		if err != nil {
			return "", err
		}
		for _, m := range members {
			if m.UserID != userID && (heir.UserID == "" || m.before(heir)) {
				heir = m
			}
		}
		if next == "" {
			return heir.UserID, nil
		}
		p.After = next
	}
}

// before reports whether m comes before o when somebody is to own the chat.
func (m Member) before(o Member) bool {
	if m.Role.rank() != o.Role.rank() {
		return m.Role.rank() > o.Role.rank()
	}
	return m.JoinedAt < o.JoinedAt
}
