package chat

import "context"

// Bar is what a block does between two people. It is a set of flags.
type Bar int

// The flags, seen from one of the two.
const (
	BarsMe    Bar = 1 << iota // the other has blocked me
	BarsOther                 // I have blocked the other
)

const (
	maxBlocks = 1000 // people whom one user can block
	maxLooks  = 10   // for the direct chat of a pair, which is made or deleted meanwhile
)

// admits refuses to bring people together in a chat of this kind. Of a block by the other
// the refusal says nothing: it is what anybody gets whom they do not want to meet.
func (b Bar) admits(k Kind) error {
	switch {
	case b&BarsMe != 0:
		return Errorf(Forbidden, "you cannot contact this person")
	case b&BarsOther != 0 && k == Direct:
		return Errorf(Conflict, "you have blocked this person; unblock them first")
	}
	return nil
}

// Block keeps another user away: they can neither open a direct chat with the user, nor
// write in the one that exists, nor add the user to a chat, and the user gets no typing,
// presence or mention of theirs. It changes nothing for one who is blocked already.
// Errors: bad_request for oneself, not_found, conflict at the limit.
func (s *Service) Block(ctx context.Context, userID, otherID string) error {
	if userID == otherID {
		return Errorf(BadRequest, "you cannot block yourself")
	}
	if !ValidID(otherID) {
		return noUser()
	}
	return s.setBlock(ctx, userID, otherID, true)
}

// Unblock ends a block. It changes nothing if there is none.
func (s *Service) Unblock(ctx context.Context, userID, otherID string) error {
	if !ValidID(otherID) || userID == otherID {
		return nil
	}
	return s.setBlock(ctx, userID, otherID, false)
}

// Blocked lists by username those whom the user has blocked.
func (s *Service) Blocked(ctx context.Context, userID string, p Page) ([]User, string, error) {
	return s.store.Blocked(ctx, userID, p)
}

// BlockedIDs returns the ids of those whom the user has blocked, in no particular order.
func (s *Service) BlockedIDs(ctx context.Context, userID string) ([]string, error) {
	return s.store.BlockedIDs(ctx, userID)
}

// setBlock changes a block under the lock of the user's stream, which whoever puts the
// user into a chat holds too, and of the pair's direct chat, which a send there holds.
func (s *Service) setBlock(ctx context.Context, userID, otherID string, blocked bool) error {
	key, direct := DirectKey(userID, otherID), ""
	for range maxLooks {
		change := Change{OpID: s.newID(), ChatID: direct, UserIDs: []string{userID}}
		settled := false
		err := s.store.Change(ctx, change, func(ctx context.Context, tx Tx) error {
			id, err := tx.ChatByDirectKey(ctx, key)
			if err != nil && CodeOf(err) != NotFound {
				return err
			}
			if settled = id == direct; !settled {
				direct = id
				return nil
			}
			return changeBlock(ctx, tx, userID, otherID, blocked)
		})
		if err != nil || settled {
			return err
		}
	}
	return Errorf(Conflict, "this chat is changing; try again")
}

func changeBlock(ctx context.Context, tx Tx, userID, otherID string, blocked bool) error {
	changed, count, err := tx.SaveBlock(ctx, userID, otherID, blocked)
	if err != nil || !changed {
		return err
	}
	op := OpBlockRemoved
	if blocked {
		op = OpBlockAdded
		if count > maxBlocks {
			return Errorf(Conflict, "you can block at most %d people", maxBlocks)
		}
	}
	if tx.ChatID() != "" {
		if err := bar(ctx, tx, userID, BarsOther, blocked); err != nil {
			return err
		}
		if err := bar(ctx, tx, otherID, BarsMe, blocked); err != nil {
			return err
		}
	}
	return tx.AppendPersonal(ctx, userID, Event{Op: op, D: BlockChanged{UserID: otherID}})
}

// bar notes a block in the pair's direct chat, where every send reads it. Who has
// declined the chat is not there.
func bar(ctx context.Context, tx Tx, userID string, flag Bar, on bool) error {
	m, err := tx.Member(ctx, userID)
	if err != nil {
		if CodeOf(err) == NotFound {
			return nil
		}
		return err
	}
	m.Bar &^= flag
	if on {
		m.Bar |= flag
	}
	return tx.SaveMember(ctx, m)
}
