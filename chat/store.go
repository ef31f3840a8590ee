package chat

import (
	"context"
	"time"
)

// Page is where a list goes on: After is the Next of the page before, opaque,
// "" at the start. Limit is at least 1. A store answers bad_request for an
// After that it did not make.
type Page struct {
	After string
	Limit int
}

// Store is all that the use cases need of storage. Every method may be called
// concurrently, gives its times from the database's clock, answers not_found
// (an *Error) for what is not there or not the caller's to see, unavailable
// when the database is, and honours ctx. Every committed event goes to the
// store's publisher before the call that caused it returns.
type Store interface {
	UserStore
	PresenceStore
	TypingStore
	SessionStore
	ChatStore
	MemberStore
	MessageStore
	EventStore
	AdminStore
	// Change runs fn in one transaction, after locking the streams it names in
	// the order of their ids by a statement of its own. An error of fn undoes
	// everything and is answered as it is. When the outcome of the commit is
	// unknown the store settles it by Change.OpID; if it can't: unknown_outcome.
	// fn may run more than once.
	Change(ctx context.Context, c Change, fn func(context.Context, Tx) error) error
}

// Change names what a transaction locks: the chat's stream (made by it when New)
// and the personal streams of users. UserIDs of people who do not exist are no error.
type Change struct {
	OpID    string
	ChatID  string
	New     bool
	UserIDs []string
}

// UserStore keeps users.
type UserStore interface {
	// CreateUser also makes them an administrator, with an entry in the audit log,
	// if the appointment says so. conflict: the name is taken.
	CreateUser(ctx context.Context, u User, passwordHash string, a Appointment) (User, error)
	User(ctx context.Context, id string) (User, error)
	Users(ctx context.Context, q string, p Page) (users []User, next string, err error) // by username; q in username or display name, any case
	Credentials(ctx context.Context, username string) (u User, passwordHash string, err error)
	SaveProfile(ctx context.Context, id string, p Profile) (User, error)
	// SavePassword also revokes the user's sessions but keepSession, each with a
	// personal event.
	SavePassword(ctx context.Context, id, passwordHash, keepSession string) error
}

// SessionStore keeps sessions by the hash of their token.
type SessionStore interface {
	// CreateSession is for the user who has that password now: not_found when it is
	// another, forbidden when they are suspended.
	CreateSession(ctx context.Context, s Session, passwordHash string, tokenHash []byte, ttl time.Duration) (Session, error)
	SessionByToken(ctx context.Context, tokenHash []byte) (s Session, now Time, err error)
	TouchSession(ctx context.Context, id string, ttl time.Duration) (Session, error)                  // used now, lives for ttl
	Sessions(ctx context.Context, userID string, p Page) (sessions []Session, next string, err error) // not expired
	RevokeSession(ctx context.Context, userID, id string) error                                       // with a personal event session.revoked
}

// ChatStore reads chats. A viewer who is not a member gets not_found.
type ChatStore interface {
	Chat(ctx context.Context, userID, chatID string) (Chat, error)
	Entry(ctx context.Context, userID, chatID string) (Entry, error)
	Entries(ctx context.Context, userID string, p Page) (EntryPage, error)
	AllEntries(ctx context.Context, userID string) (EntryPage, error) // one snapshot
	ChatIDs(ctx context.Context, userID string) ([]string, error)
	CursorsAt(ctx context.Context, userID string, at Time) (map[string]int64, error)                        // per chat of the user the last seq with ts < at
	PublicChats(ctx context.Context, userID, q string, p Page) (chats []PublicChat, next string, err error) // not archived
}

// MemberStore reads members and keeps cursors.
type MemberStore interface {
	Members(ctx context.Context, userID, chatID string, p Page) (members []Member, next string, err error)
	SetCursor(ctx context.Context, userID, chatID string, ch CursorChange) (CursorMoved, error)
	Cursors(ctx context.Context, userID, chatID string, p Page) (cursors []Cursor, next string, err error)
}

// MessageStore stores sends by group commit and reads messages.
type MessageStore interface {
	Send(ctx context.Context, m Send) (Sent, error)
	SentByKey(ctx context.Context, m Send) (Sent, error) // not_found: the key is new; key_reused by Send.AdmitReplay
	// PlaceOfMessage asks for no membership: see changeMessage and Service.PlaceOf.
	PlaceOfMessage(ctx context.Context, messageID string) (chatID string, seq int64, err error)
	Message(ctx context.Context, userID, messageID string) (Message, error)
	History(ctx context.Context, userID, chatID string, r Range) (History, error)
	Reactors(ctx context.Context, userID, messageID, emoji string, p Page) (userIDs []string, next string, err error)
}

// AdminStore is what administrators see and do.
type AdminStore interface {
	Account(ctx context.Context, userID string) (Account, error)
	AccountNamed(ctx context.Context, username string) (Account, error)
	Accounts(ctx context.Context, q string, p Page) (accounts []Account, next string, err error) // as Users
	Audit(ctx context.Context, p Page) (entries []AuditEntry, next string, err error)            // the newest first
	// Administer runs fn in one transaction, alone among administrators and with
	// the personal stream of the subject locked, should it be a user. fn may run
	// more than once.
	Administer(ctx context.Context, subject string, fn func(context.Context, AdminTx) error) error
	RetentionStore
}

// RetentionStore finds what has expired.
type RetentionStore interface {
	Retentions(ctx context.Context, q string, p Page) (chats []Retention, next string, err error)
	// ClaimRetention says whether the sweep may go on: it is the first to ask since
	// the last claim ended, or the one that has it. Its claim lasts from now.
	ClaimRetention(ctx context.Context, sweep string, lasts time.Duration) (bool, error)
	ExpiringChats(ctx context.Context, after string, limit int) ([]Expiring, error)              // by id
	ExpiredMessages(ctx context.Context, c Expiring, limit int) (messageIDs []string, err error) // not yet deleted, the oldest first; none under another retention
	SaveExpired(ctx context.Context, c Expiring) error                                           // nothing of it is left; ignored under another retention
}

// AdminTx is one transaction of Administer, for the goroutine that got it, until
// fn returns.
type AdminTx interface {
	Now() Time
	Account(ctx context.Context, userID string) (Account, error)
	SaveAccount(ctx context.Context, a Account) error // administrator and suspension
	Administrators(ctx context.Context) (int, error)  // who are not suspended
	RevokeSessions(ctx context.Context, userID string) (int, error)
	Retention(ctx context.Context, chatID string) (Retention, error)
	SaveRetention(ctx context.Context, chatID string, days int) error
	Record(ctx context.Context, e AuditEntry) error // at Now
}

// EventStore reads the log.
type EventStore interface {
	Epoch(ctx context.Context) (epoch string, now Time, err error) // and the database's clock
	Events(ctx context.Context, userID, chatID string, after int64, limit int) (EventPage, error)
}

// Tx is one transaction of Change, on its chat, with the streams locked. It is
// for the goroutine that got it, until fn returns.
type Tx interface {
	ChatTx
	MemberTx
	MessageTx
	EventTx
}

// ChatTx is a transaction's view of its chat.
type ChatTx interface {
	ChatID() string
	Chat(ctx context.Context) (Chat, error) // not_found; with MemberCount, without MemberIDs where the kind has none
	ChatByKey(ctx context.Context, userID, key string) (chatID string, fingerprint []byte, err error)
	ChatByDirectKey(ctx context.Context, directKey string) (chatID string, err error)
	InsertChat(ctx context.Context, c Chat, f ChatFacts) error
	SaveChat(ctx context.Context, c Chat) error
}

// ChatFacts is what a chat is found by, beside its id; each may be empty.
type ChatFacts struct {
	DirectKey   string
	Key         string // idempotency key of its creation, unique per creator
	Fingerprint []byte
}

// MemberTx is a transaction's view of its chat's members. The member count
// follows InsertMember and DeleteMember.
type MemberTx interface {
	Member(ctx context.Context, userID string) (Member, error)
	Owners(ctx context.Context) (int, error)
	InsertMember(ctx context.Context, m Member) error // cursors start at m.AddedSeq
	SaveMember(ctx context.Context, m Member) error   // role and muted
	DeleteMember(ctx context.Context, userID string) error
	ChatCounts(ctx context.Context, userIDs []string) (map[string]int, error)       // chats per user; unknown users are absent
	MemberNames(ctx context.Context, usernames []string) (map[string]string, error) // id by username, of members
}

// MessageTx is a transaction's view of its chat's messages.
type MessageTx interface {
	Message(ctx context.Context, id string) (Message, error) // of this chat; without Reactions
	SaveMessage(ctx context.Context, m Message) error        // content, version, times, mentions, and its place in index_outbox
	AddReaction(ctx context.Context, messageID, userID, emoji string) (added bool, distinct int, err error)
	RemoveReaction(ctx context.Context, messageID, userID, emoji string) (removed bool, err error)
}

// EventTx appends to the locked streams.
type EventTx interface {
	Now() Time // the database's clock after the lock, never before the stream's last event
	// Append adds an event to the chat's stream: it gives it the next seq, Now
	// and the transaction's OpID, and answers the seq.
	Append(ctx context.Context, e Event) (int64, error)
	AppendPersonal(ctx context.Context, userID string, e Event) error
}

// Publisher gets every committed event, after its commit, in seq order as far
// as one node can see it. It must not block.
type Publisher interface {
	Publish(events []Event)
}
