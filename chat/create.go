package chat

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
)

// maxNewMembers is how many members besides the creator a chat may be created with.
const maxNewMembers = 100

// NewChat describes a chat to create. Key may be empty.
type NewChat struct {
	Kind      Kind
	Name      string
	Topic     string
	MemberIDs []string
	Key       string
}

// DirectKey names the direct chat of a pair: the sorted pair of user ids.
func DirectKey(a, b string) string {
	if a > b {
		a, b = b, a
	}
	return a + ":" + b
}

// CreateChat creates a chat with its first members: the creator as owner (in a
// direct chat both are plain members). For those who do not know the creator it is a
// request. If the direct chat exists or the key is known, it returns the existing chat
// with created = false; a direct chat that one of the two has left is open again then.
// Errors: bad_request, not_found for an unknown member, forbidden for one who does not
// want to meet the creator, key_reused, conflict at a limit.
func (s *Service) CreateChat(ctx context.Context, userID string, n NewChat) (c Chat, created bool, err error) {
	if err := normalize(&n, userID); err != nil {
		return Chat{}, false, err
	}
	c = Chat{ID: s.newID(), Kind: n.Kind, Name: n.Name, Topic: n.Topic, CreatedBy: userID}
	facts := ChatFacts{Key: n.Key, Fingerprint: s.chatFingerprint(n)}
	if n.Kind == Direct {
		facts.DirectKey = DirectKey(userID, n.MemberIDs[0])
	}
	p := &putting{actorID: userID, userIDs: n.MemberIDs}
	existing := ""
	users := append([]string{userID}, n.MemberIDs...)
	cost := Cost{Events: 1, Bytes: eventBytes*(1+len(users)) + len(n.Name) + len(n.Topic)}
	change := Change{ChatID: c.ID, New: true, UserIDs: users}
	err = s.put(ctx, p, change, cost, func(ctx context.Context, tx Tx) (err error) {
		if existing, err = s.sameChat(ctx, tx, p, facts); err != nil || existing != "" {
			return err
		}
		return s.insertChat(ctx, tx, &c, facts, p)
	})
	if err != nil {
		return Chat{}, false, err
	}
	if existing == "" {
		c, err = s.store.Chat(ctx, userID, c.ID)
		return c, true, err
	}
	if n.Kind == Direct {
		err = s.reopen(ctx, p, existing)
	}
	if err == nil {
		c, err = s.store.Chat(ctx, userID, existing)
	}
	return c, false, err
}

// sameChat finds the chat that this creation would duplicate: by key, then by pair.
func (s *Service) sameChat(ctx context.Context, tx Tx, p *putting, f ChatFacts) (string, error) {
	if f.Key != "" {
		id, fingerprint, err := tx.ChatByKey(ctx, p.actorID, f.Key)
		switch {
		case CodeOf(err) == NotFound:
		case err != nil:
			return "", err
		case !hmac.Equal(fingerprint, f.Fingerprint):
			return "", Errorf(KeyReused, "this key was already used to create a different chat")
		default:
			return id, nil
		}
	}
	if f.DirectKey == "" {
		return "", nil
	}
	if _, err := p.inboxes(ctx, tx, Direct); err != nil { // a bar closes the chat that exists, too
		return "", err
	}
	id, err := tx.ChatByDirectKey(ctx, f.DirectKey)
	if CodeOf(err) == NotFound {
		return "", nil
	}
	return id, err
}

func (s *Service) insertChat(ctx context.Context, tx Tx, c *Chat, f ChatFacts, p *putting) error {
	boxes, err := p.inboxes(ctx, tx, c.Kind)
	if err != nil {
		return err
	}
	if err := s.mayHaveMore(ctx, tx, p.actorID); err != nil {
		return err
	}
	standings, err := s.admit(ctx, tx, p, boxes)
	if err != nil {
		return err
	}
	c.CreatedAt = tx.Now()
	if err := tx.InsertChat(ctx, *c, f); err != nil {
		return err
	}
	if _, err := tx.Append(ctx, Event{Op: OpChatCreated, ActorID: c.CreatedBy, D: *c}); err != nil {
		return err
	}
	maker := Member{UserID: c.CreatedBy, Role: RoleOwner, Standing: Accepted}
	if c.Kind == Direct {
		maker.Role = RoleMember
	}
	members := []Member{maker}
	for _, id := range p.userIDs {
		members = append(members, Member{UserID: id, Role: RoleMember, Standing: standings[id]})
	}
	return enter(ctx, tx, c.CreatedBy, members...)
}

// reopen brings back whoever has left the direct chat of a pair, by declining it: the
// one who asks for it, and the other one as somebody who is put in.
func (s *Service) reopen(ctx context.Context, p *putting, chatID string) error {
	users := append([]string{p.actorID}, p.userIDs...)
	whole, err := s.store.Chat(ctx, p.actorID, chatID)
	if err == nil && whole.MemberCount == len(users) {
		return nil
	}
	if err != nil && CodeOf(err) != NotFound {
		return err
	}
	return s.put(ctx, p, Change{ChatID: chatID, UserIDs: users}, costOf(0), func(ctx context.Context, tx Tx) error {
		boxes, err := p.inboxes(ctx, tx, Direct)
		if err != nil {
			return err
		}
		var back []Member
		for _, id := range users {
			_, err := tx.Member(ctx, id)
			if err == nil {
				continue
			}
			if CodeOf(err) != NotFound {
				return err
			}
			m := Member{UserID: id, Role: RoleMember, Standing: Accepted}
			if id == p.actorID {
				if err := s.mayHaveMore(ctx, tx, id); err != nil {
					return err
				}
			} else {
				standings, err := s.admit(ctx, tx, p, boxes)
				if err != nil {
					return err
				}
				m.Standing = standings[id]
			}
			back = append(back, m)
		}
		return enter(ctx, tx, p.actorID, back...)
	})
}

// normalize checks a new chat and turns its member ids into a sorted set without
// the creator.
func normalize(n *NewChat, userID string) error {
	minName := 0
	if n.Kind == Private || n.Kind == Public {
		minName = 1
	}
	name, err := cleanName("name", n.Name, minName, maxChatName)
	if err != nil {
		return err
	}
	topic, err := cleanText("topic", n.Topic, maxTopic)
	if err != nil {
		return err
	}
	n.Name, n.Topic = name, topic
	if n.Key != "" && !ValidKey(n.Key) {
		return Errorf(BadRequest, "Idempotency-Key must be 1 to 64 characters from 0x21 to 0x7E")
	}
	if len(n.MemberIDs) > maxNewMembers {
		return Errorf(BadRequest, "member_ids must have at most %d entries", maxNewMembers)
	}
	ids := slices.Clone(n.MemberIDs)
	slices.Sort(ids)
	n.MemberIDs = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == userID })
	if i := slices.IndexFunc(n.MemberIDs, func(id string) bool { return !ValidID(id) }); i >= 0 {
		return Errorf(NotFound, "member_ids contains an id that no user has")
	}
	return validKind(n)
}

func validKind(n *NewChat) error {
	switch n.Kind {
	case Group, Private, Public:
		return nil
	case Direct:
		if len(n.MemberIDs) != 1 {
			return Errorf(BadRequest, "a direct chat needs exactly one other user in member_ids")
		}
		if n.Name != "" || n.Topic != "" {
			return Errorf(BadRequest, "a direct chat has no name and no topic")
		}
		return nil
	}
	return Errorf(BadRequest, "kind must be direct, group, private or public")
}

func (s *Service) chatFingerprint(n NewChat) []byte {
	parts := append([]string{string(n.Kind), n.Name, n.Topic}, n.MemberIDs...)
	return s.fingerprint(parts...)
}

// fingerprint is a keyed hash of a request's content. It distinguishes a replay
// from a different request under the same key without storing the content.
func (s *Service) fingerprint(parts ...string) []byte {
	mac := hmac.New(sha256.New, s.secret)
	for _, p := range parts {
		var size [8]byte
		for i, n := 0, len(p); i < len(size); i, n = i+1, n>>8 {
			size[i] = byte(n)
		}
		mac.Write(size[:])
		mac.Write([]byte(p))
	}
	return mac.Sum(nil)
}
