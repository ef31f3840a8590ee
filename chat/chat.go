package chat

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strings"
)

// Kind is what sort of conversation a chat is.
type Kind string

// The kinds of chats.
const (
	Direct  Kind = "direct"  // two people, one chat per pair
	Group   Kind = "group"   // by invitation, name optional
	Private Kind = "private" // by invitation, named
	Public  Kind = "public"  // named, anyone may join
)

// MaxMemberIDs is the size up to which a chat names its members in MemberIDs.
// Who wants those of a larger one pages through them.
const MaxMemberIDs = 1000

// Chat is a conversation. MemberIDs is there for direct chats, and for groups of
// at most MaxMemberIDs.
type Chat struct {
	ID          string   `json:"id"`
	Kind        Kind     `json:"kind"`
	Name        string   `json:"name"`
	Topic       string   `json:"topic"`
	CreatedBy   string   `json:"created_by"`
	CreatedAt   Time     `json:"created_at"`
	Archived    bool     `json:"archived"`
	MemberCount int      `json:"member_count"`
	MemberIDs   []string `json:"member_ids,omitempty"`
}

// Entry is a chat as one of its members sees it in the list of chats.
type Entry struct {
	Chat
	LastSeq      int64    `json:"last_seq"`
	ReadSeq      int64    `json:"read_seq"`
	DeliveredSeq int64    `json:"delivered_seq"`
	Unread       int64    `json:"unread"`
	Mentions     int64    `json:"mentions"`
	Role         Role     `json:"role"`
	Muted        bool     `json:"muted"`
	AddedSeq     int64    `json:"added_seq"`
	LastMessage  *Message `json:"last_message,omitempty"`
}

// EntryPage is a part of a user's list of chats. Next is "" at the end.
type EntryPage struct {
	Now     Time // the database's clock at the snapshot
	Entries []Entry
	Epoch   string
	Next    string
}

// PublicChat is a chat that anybody may join, as the directory shows it.
type PublicChat struct {
	Chat
	Members int  `json:"members"`
	Joined  bool `json:"joined"`
}

// NewChat is what creating a chat asks for. Key may be empty.
type NewChat struct {
	Kind      Kind
	Name      string
	Topic     string
	MemberIDs []string
	Key       string
}

// ChatChange is an admin's change of a chat; nil leaves a field alone.
type ChatChange struct {
	Name, Topic *string
	Archived    *bool
}

const (
	maxChatName   = 100
	maxTopic      = 1000
	maxNewMembers = 100
	// LastMessageRunes is where the body of an entry's last message is cut.
	LastMessageRunes = 200
)

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

// Entry gives one chat as the user sees it; not_found when not a member.
func (s *Service) Entry(ctx context.Context, userID, chatID string) (Entry, error) {
	if !ValidID(chatID) {
		return Entry{}, noChat()
	}
	return s.store.Entry(ctx, userID, chatID)
}

// Entries lists the user's chats, the newest activity first.
func (s *Service) Entries(ctx context.Context, userID string, p Page) (EntryPage, error) {
	return s.store.Entries(ctx, userID, p)
}

// AllEntries gives every chat of the user in one snapshot, the newest activity
// first: what a resume starts from.
func (s *Service) AllEntries(ctx context.Context, userID string) (EntryPage, error) {
	return s.store.AllEntries(ctx, userID)
}

// CursorsAt gives, for each chat of the user, the last seq of before an instant
// of the database's clock.
func (s *Service) CursorsAt(ctx context.Context, userID string, at Time) (map[string]int64, error) {
	return s.store.CursorsAt(ctx, userID, at)
}

// ChatIDs gives the ids of the chats that the user is a member of, in no order.
func (s *Service) ChatIDs(ctx context.Context, userID string) ([]string, error) {
	return s.store.ChatIDs(ctx, userID)
}

// PublicChats lists the chats that anybody may join, by name.
func (s *Service) PublicChats(ctx context.Context, userID, q string, p Page) ([]PublicChat, string, error) {
	if err := validText("q", q, 0, maxChatName); err != nil {
		return nil, "", err
	}
	return s.store.PublicChats(ctx, userID, strings.ToLower(strings.TrimSpace(q)), p)
}

// UpdateChat changes a chat; for admins. A change that changes nothing makes no event.
func (s *Service) UpdateChat(ctx context.Context, userID, chatID string, ch ChatChange) (Chat, error) {
	if !ValidID(chatID) {
		return Chat{}, noChat()
	}
	err := s.change(ctx, chatID, nil, func(ctx context.Context, tx Tx) error {
		c, m, err := authorize(ctx, tx, userID)
		switch {
		case err != nil:
			return err
		case c.Kind == Direct:
			return Errorf(Conflict, "a direct chat cannot be changed")
		case !m.Role.administers():
			return Errorf(Forbidden, "this needs the role admin or owner")
		}
		before := c
		if err := applyChange(&c, ch); err != nil {
			return err
		}
		if c.Name == before.Name && c.Topic == before.Topic && c.Archived == before.Archived {
			return nil
		}
		if err := tx.SaveChat(ctx, c); err != nil {
			return err
		}
		_, err = tx.Append(ctx, Event{Op: OpChatUpdated, ActorID: userID, D: c})
		return err
	})
	if err != nil {
		return Chat{}, err
	}
	return s.store.Chat(ctx, userID, chatID)
}

func applyChange(c *Chat, ch ChatChange) error {
	if ch.Name != nil {
		c.Name = strings.TrimSpace(*ch.Name)
		minName := 1
		if c.Kind == Group {
			minName = 0
		}
		if err := validText("name", c.Name, minName, maxChatName); err != nil {
			return err
		}
	}
	if ch.Topic != nil {
		c.Topic = strings.TrimSpace(*ch.Topic)
		if err := validText("topic", c.Topic, 0, maxTopic); err != nil {
			return err
		}
	}
	if ch.Archived != nil {
		c.Archived = *ch.Archived
	}
	return nil
}

func noChat() error { return Errorf(NotFound, "there is no such chat") }
