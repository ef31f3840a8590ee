package chat

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strings"
)

// maxNewMembers is how many members a chat may be created with, the creator beside them.
const maxNewMembers = 100

// NewChat is what creating a chat asks for. Key may be empty.
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
// direct chat both are plain members). A direct chat that exists, and a replay
// of a known key, answer the chat as it is with created = false. Errors:
// bad_request, not_found for an unknown member, key_reused, conflict at a limit.
func (s *Service) CreateChat(ctx context.Context, userID string, n NewChat) (c Chat, created bool, err error) {
	if err := normalize(&n, userID); err != nil {
		return Chat{}, false, err
	}
	c = Chat{ID: s.newID(), Kind: n.Kind, Name: n.Name, Topic: n.Topic, CreatedBy: userID}
	facts := ChatFacts{Key: n.Key, Fingerprint: s.chatFingerprint(n)}
	if n.Kind == Direct {
		facts.DirectKey = DirectKey(userID, n.MemberIDs[0])
	}
	members := append([]string{userID}, n.MemberIDs...)
	existing := ""
	change := Change{OpID: s.newID(), ChatID: c.ID, New: true, UserIDs: members}
	err = s.store.Change(ctx, change, func(ctx context.Context, tx Tx) error {
		id, err := s.sameChat(ctx, tx, userID, facts)
		if err != nil || id != "" {
			existing = id
			return err
		}
		return s.insertChat(ctx, tx, &c, facts, members)
	})
	if err != nil {
		return Chat{}, false, err
	}
	if existing != "" {
		c, err = s.store.Chat(ctx, userID, existing)
		return c, false, err
	}
	c, err = s.store.Chat(ctx, userID, c.ID)
	return c, true, err
}

// sameChat finds the chat that this creation would double: by key, then by pair.
func (s *Service) sameChat(ctx context.Context, tx Tx, userID string, f ChatFacts) (string, error) {
	if f.Key != "" {
		id, fingerprint, err := tx.ChatByKey(ctx, userID, f.Key)
		switch {
		case CodeOf(err) == NotFound:
		case err != nil:
			return "", err
		case !hmac.Equal(fingerprint, f.Fingerprint):
			return "", Errorf(KeyReused, "this key was used to create another chat")
		default:
			return id, nil
		}
	}
	if f.DirectKey == "" {
		return "", nil
	}
	id, err := tx.ChatByDirectKey(ctx, f.DirectKey)
	if CodeOf(err) == NotFound {
		return "", nil
	}
	return id, err
}

func (s *Service) insertChat(ctx context.Context, tx Tx, c *Chat, f ChatFacts, members []string) error {
	if err := s.mayBeMembers(ctx, tx, members); err != nil {
		return err
	}
	c.CreatedAt = tx.Now()
	if err := tx.InsertChat(ctx, *c, f); err != nil {
		return err
	}
	if _, err := tx.Append(ctx, Event{Op: OpChatCreated, ActorID: c.CreatedBy, D: *c}); err != nil {
		return err
	}
	for _, id := range members {
		role := RoleMember
		if id == c.CreatedBy && c.Kind != Direct {
			role = RoleOwner
		}
		if err := enter(ctx, tx, id, role, c.CreatedBy); err != nil {
			return err
		}
	}
	return nil
}

// normalize checks a new chat and brings its member ids to a set without the creator.
func normalize(n *NewChat, userID string) error {
	n.Name, n.Topic = strings.TrimSpace(n.Name), strings.TrimSpace(n.Topic)
	minName := 0
	if n.Kind == Private || n.Kind == Public {
		minName = 1
	}
	if err := validText("name", n.Name, minName, maxChatName); err != nil {
		return err
	}
	if err := validText("topic", n.Topic, 0, maxTopic); err != nil {
		return err
	}
	if n.Key != "" && !ValidKey(n.Key) {
		return Errorf(BadRequest, "Idempotency-Key must be 1 to 64 characters from 0x21 to 0x7E")
	}
	if len(n.MemberIDs) > maxNewMembers {
		return Errorf(BadRequest, "member_ids must be at most %d", maxNewMembers)
	}
	ids := slices.Clone(n.MemberIDs)
	slices.Sort(ids)
	n.MemberIDs = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == userID })
	if i := slices.IndexFunc(n.MemberIDs, func(id string) bool { return !ValidID(id) }); i >= 0 {
		return Errorf(NotFound, "one of member_ids is not a user")
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

// fingerprint is a keyed hash of a request's content: it tells a replay from
// another request under the same key, without keeping the content.
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
