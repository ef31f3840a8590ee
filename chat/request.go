package chat

import "context"

// Standing is how a member came to a chat.
type Standing int

// The standings. What others do to somebody counts for nobody's ChatsPerUser: only
// Accepted memberships do.
const (
	Requested Standing = iota // put in by a stranger: a request, until the member accepts it
	Admitted                  // put in by somebody they know, and not used since
	Accepted                  // made, joined, accepted, written or reacted in by the member
)

// Inbox is what a user has not answered yet.
type Inbox struct {
	Requested, Admitted int // memberships of these standings
	// Oldest is the chat of the oldest request by whoever made most of them, if the change
	// has locked it, else "": in an inbox that is not full, and where that one ended while
	// the change waited for its chat, and has made room so.
	Oldest string
	Bar    Bar // between whoever puts them in and them
}

// Accept ends a request: the chat is the user's own from then on. It changes nothing
// for a member who has accepted before. Errors: not_found for a non-member, conflict at
// the limit.
func (s *Service) Accept(ctx context.Context, userID, chatID string) (Entry, error) {
	if !ValidID(chatID) {
		return Entry{}, noChat()
	}
	err := s.change(ctx, userID, Change{ChatID: chatID, UserIDs: []string{userID}}, Cost{}, func(ctx context.Context, tx Tx) error {
		_, m, err := authorize(ctx, tx, userID)
		if err != nil {
			return err
		}
		return s.accept(ctx, tx, m)
	})
	if err != nil {
		return Entry{}, err
	}
	return s.store.Entry(ctx, userID, chatID)
}

// accept makes a chat the member's own, because they want or use it. Errors: conflict at
// the limit.
func (s *Service) accept(ctx context.Context, tx Tx, m Member) error {
	if m.Standing == Accepted {
		return nil
	}
	if err := s.mayHaveMore(ctx, tx, m.UserID); err != nil {
		return err
	}
	m.Standing = Accepted
	return tx.SaveMember(ctx, m)
}

// mayHaveMore refuses a user who has as many chats of their own as they may.
func (s *Service) mayHaveMore(ctx context.Context, tx Tx, userID string) error {
	n, err := tx.AcceptedChats(ctx, userID)
	if err == nil && n >= s.limits.ChatsPerUser {
		err = tooManyChats(s.limits.ChatsPerUser)
	}
	return err
}

func tooManyChats(limit int) error { return Errorf(Conflict, "you can be in at most %d chats", limit) }

// putting is an act by which somebody puts others into a chat.
type putting struct {
	actorID string
	userIDs []string
	known   map[string]bool // who of them knew the actor before the act
}

// put runs fn, which calls admit, in a change that locks what admit needs, and charges the
// actor once. Who knows whom is read before the lock, which the senders of messages wait
// for, too.
func (s *Service) put(ctx context.Context, p *putting, c Change, cost Cost, fn func(context.Context, Tx) error) error {
	c.OpID = s.newID()
	c.Inboxes, c.Full = p.userIDs, s.limits.Requests
	return s.charged(ctx, p.actorID, cost, fn, func(fn func(context.Context, Tx) error) (err error) {
		if p.known, err = s.store.Knowing(ctx, p.actorID, p.userIDs); err != nil {
			return err
		}
		return s.store.Change(ctx, c, fn)
	})
}

// inboxes reads, under the lock, the inboxes of those who are put in. Errors: not_found
// if one of them is nobody, and what a bar between them demands.
func (p *putting) inboxes(ctx context.Context, tx Tx, k Kind) (map[string]Inbox, error) {
	boxes, err := tx.Inboxes(ctx, p.actorID, p.userIDs)
	if err != nil {
		return nil, err
	}
	for _, id := range p.userIDs {
		box, ok := boxes[id]
		if !ok {
			return nil, noUser()
		}
		if err := box.Bar.admits(k); err != nil {
			return nil, err
		}
	}
	return boxes, nil
}

// admit decides with which standing each user comes in. If a request finds the inbox full,
// one there is declined for its owner: the oldest by whoever made most of them, so that
// nobody pushes out the requests of all others.
func (s *Service) admit(ctx context.Context, tx Tx, p *putting, boxes map[string]Inbox) (map[string]Standing, error) {
	standings := make(map[string]Standing, len(p.userIDs))
	for _, id := range p.userIDs {
		box := boxes[id]
		if p.known[id] && box.Admitted < s.limits.Requests {
			standings[id] = Admitted
			continue
		}
		standings[id] = Requested
		if box.Requested < s.limits.Requests || box.Oldest == "" {
			continue
		}
		other, err := tx.Beside(box.Oldest)
		if err != nil {
			return nil, err
		}
		if _, err := depart(ctx, other, id, id); err != nil {
			return nil, err
		}
	}
	return standings, nil
}
