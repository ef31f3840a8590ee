package chat

import "context"

// Limits are the domain's bounds, told to clients in hello.
type Limits struct {
	BodyBytes    int // of a message's body, in UTF-8
	ChatMembers  int // members of one chat
	ChatsPerUser int
}

// DefaultLimits are those of the wire contract.
func DefaultLimits() Limits {
	return Limits{BodyBytes: 16 << 10, ChatMembers: 5000, ChatsPerUser: 2000}
}

// Passwords hashes and checks passwords. Its methods may be called concurrently
// and wait for their turn as long as ctx allows.
type Passwords interface {
	Hash(ctx context.Context, password string) (string, error)
	Verify(ctx context.Context, hash, password string) (bool, error)
	// VerifyNone takes the time of Verify and says nothing: for a name that no
	// user has.
	VerifyNone(ctx context.Context, password string) error
}

// Service is the use cases. It is stateless and may be used concurrently. Every
// method takes the acting user's id as authenticated and refuses with an *Error.
type Service struct {
	store     Store
	passwords Passwords
	newID     func() string
	secret    []byte
	limits    Limits

	administrators []string // usernames
}

// NewService makes the use cases over a store. newID makes UUIDv7 strings and
// may be called concurrently. secret keys the fingerprints of requests and must
// stay the same for the life of the database.
func NewService(store Store, passwords Passwords, newID func() string, secret []byte, limits Limits) *Service {
	return &Service{store: store, passwords: passwords, newID: newID, secret: secret, limits: limits}
}

// Limits gives the bounds in force.
func (s *Service) Limits() Limits { return s.limits }

func (s *Service) change(ctx context.Context, chatID string, users []string, fn func(context.Context, Tx) error) error {
	return s.store.Change(ctx, Change{OpID: s.newID(), ChatID: chatID, UserIDs: users}, fn)
}
