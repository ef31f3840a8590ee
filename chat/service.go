package chat

import "context"

// Limits are the domain's bounds, which hello announces to clients.
type Limits struct {
	BodyBytes    int // bytes of UTF-8 in a message's body
	ChatMembers  int // members of one chat
	ChatsPerUser int // that the user made, joined, accepted or used
	// Requests is how many requests of strangers wait for one user, and how many chats
	// into which acquaintances put them the user may have without having used them.
	Requests int
	// FileBytes is how large a file may be, Attachments how many a message may have, and
	// UserStorageBytes how much all files of a user may take; 0: no limit.
	FileBytes        int64
	Attachments      int
	UserStorageBytes int64
}

// DefaultLimits returns the limits of the wire contract.
func DefaultLimits() Limits {
	return Limits{BodyBytes: 16 << 10, ChatMembers: 5000, ChatsPerUser: 2000, Requests: 200,
		FileBytes: 100 << 20, Attachments: 10}
}

// Passwords hashes and checks passwords. Its methods may be called concurrently and
// wait for their turn until ctx is done.
type Passwords interface {
	Hash(ctx context.Context, password string) (string, error)
	Verify(ctx context.Context, hash, password string) (bool, error)
	// VerifyNone takes as long as Verify and verifies nothing: for a name that no
	// user has.
	VerifyNone(ctx context.Context, password string) error
	// Common reports whether a password is one of those that most people choose, in any case.
	Common(password string) bool
}

// Service implements the use cases. It is stateless and may be used concurrently.
// Every method trusts the acting user's id as authenticated and refuses with an
// *Error.
type Service struct {
	store     Store
	meter     Meter
	passwords Passwords
	newID     func() string
	secret    []byte
	limits    Limits

	administrators []string // usernames
	admission      Admission
	mail           bool
	signIn         SignIn
	botsByEveryone bool
	tokens         Tokens // of applications; nil: none are believed
}

// NewService returns the use cases over a store. newID returns UUIDv7 strings and
// may be called concurrently. secret keys the fingerprints of requests and must
// stay the same for the life of the database.
func NewService(store Store, passwords Passwords, newID func() string, secret []byte, limits Limits) *Service {
	return &Service{store: store, meter: unmetered{}, passwords: passwords, newID: newID, secret: secret, limits: limits}
}

// Limits returns the bounds in force.
func (s *Service) Limits() Limits { return s.limits }
