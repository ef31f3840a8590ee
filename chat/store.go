package chat

import (
	"context"
	"time"
)

// Page selects the next part of a list. After is the opaque next of the previous
// page, "" at the start. Limit is at least 1. A store returns bad_request for an
// After that it did not issue.
type Page struct {
	After string
	Limit int
}

// Store is everything that the use cases need from storage. Every method may be
// called concurrently, honours ctx, reports times of the database's clock, returns
// not_found (an *Error) for what does not exist or the caller may not see, and
// unavailable when the database is. Every committed event goes to the store's
// publisher before the call that caused it returns.
type Store interface {
	UserStore
	PresenceStore
	TypingStore
	SessionStore
	AccountStore
	WorkspaceStore
	InvitationStore
	SignInStore
	IdentityStore
	BotStore
	ExternalStore
	HookStore
	FileStore
	ChatStore
	MemberStore
	BlockStore
	MessageStore
	EventStore
	AdminStore
	UsageStore
	// Change runs fn in one transaction, after a separate statement has locked the
	// streams that c names in the order of their ids. An error of fn rolls
	// everything back and is returned unchanged. An unknown outcome of the commit
	// is resolved by Change.OpID; if that fails, the error is unknown_outcome. fn
	// may run more than once.
	Change(ctx context.Context, c Change, fn func(context.Context, Tx) error) error
}

// Change names what a transaction locks: the inboxes of users, and then the chat's
// stream, which it creates if New, and the personal streams of users. An id that nobody
// has is not an error, nor is an empty ChatID, for a change that is about no chat.
type Change struct {
	OpID    string
	ChatID  string
	New     bool
	UserIDs []string
	// Inboxes are those of the users whom the transaction may put into the chat. No other
	// one puts them into any until it has ended. From Full requests on, Full being at
	// least 1, the stream of the chat that may have to go is locked, too: see Inbox.Oldest.
	Inboxes []string
	Full    int
}

// UserStore keeps users.
type UserStore interface {
	// CreateUser lets somebody in as Entrance.Admit decides, one at a time, and uses up the
	// code that came. An administrator gets an entry in the audit log. User.AdmitSignUp
	// decides whether the names may be taken. Errors: conflict, also for an identity that
	// somebody has.
	CreateUser(ctx context.Context, e Entrance) (User, error)
	User(ctx context.Context, id string) (User, error)
	// Users lists users by username whose username or display name contains q, in
	// any case.
	Users(ctx context.Context, q string, p Page) (users []User, next string, err error)
	// UsersByID lists those of the ids that are users, by username.
	UsersByID(ctx context.Context, ids []string) ([]User, error)
	Credentials(ctx context.Context, username string) (u User, passwordHash string, err error)
	// SaveProfile asks User.AdmitName about a display name that the user did not have.
	SaveProfile(ctx context.Context, id string, p Profile) (User, error)
	// SavePassword also revokes the user's sessions except keepSession, each with a
	// personal event. It requires that current is still the hash of the user's
	// password: conflict if it is not. The notice, nil for none, goes to the verified
	// address, as for ConfirmEmail and ResetPassword.
	SavePassword(ctx context.Context, id, current, passwordHash, keepSession string, notice *Letter) error
}

// AccountStore keeps what an account can be found and opened by besides its password.
type AccountStore interface {
	// Email returns a user's address, "" if there is none.
	Email(ctx context.Context, userID string) (address string, verified bool, err error)
	// SaveEmail requires that Password is still the user's: not_found if it is not.
	SaveEmail(ctx context.Context, ch EmailChange) error
	// ConfirmEmail uses the user's code for the address that it was sent to; the notice
	// goes to the verified one of before. Errors: not_found, conflict.
	ConfirmEmail(ctx context.Context, userID string, hash []byte, language string, notice *Letter) error
	// MintCode adds the code of a letter that is about to be sent; one that tells something
	// has none. Errors: not_found if nobody needs the letter any more.
	MintCode(ctx context.Context, l Letter, hash []byte) (Mail, error)
	// AnswerReset finishes the job and has the letter sent, if there is a user with a
	// verified address to whom one may be sent.
	AnswerReset(ctx context.Context, j ClaimedJob, r ResetRequest, letter func(u User, address string) Letter) error
	// ResetUser returns whose code for a new password this is. Errors: not_found.
	ResetUser(ctx context.Context, hash []byte) (User, error)
	// ResetPassword uses the code, ends all others of the user and all sessions. Errors:
	// not_found.
	ResetPassword(ctx context.Context, hash []byte, passwordHash string, notice *Letter) error
	PutJobs(ctx context.Context, jobs ...Job) error
}

// SessionStore keeps sessions by the hash of their token.
type SessionStore interface {
	SessionByToken(ctx context.Context, tokenHash []byte) (s Session, now Time, err error)
	// TouchSession marks the session as used now; it lives for ttl from now.
	TouchSession(ctx context.Context, id string, ttl time.Duration) (Session, error)
	// Sessions lists the sessions that have not expired.
	Sessions(ctx context.Context, userID string, p Page) (sessions []Session, next string, err error)
	// RevokeSession also appends a personal event session.revoked.
	RevokeSession(ctx context.Context, userID, id string) error
}

// ChatStore reads chats. A non-member gets not_found.
type ChatStore interface {
	Chat(ctx context.Context, userID, chatID string) (Chat, error)
	Entry(ctx context.Context, userID, chatID string) (Entry, error)
	Entries(ctx context.Context, userID string, p Page) (EntryPage, error)
	AllEntries(ctx context.Context, userID string) (EntryPage, error) // one snapshot
	ChatIDs(ctx context.Context, userID string) ([]string, error)
	// CursorsAt returns for each chat of the user the last seq below the horizon, 0 where
	// the log no longer reaches back that far.
	CursorsAt(ctx context.Context, userID string, at Horizon) (map[string]int64, error)
	LastSeqs(ctx context.Context, userID string) (map[string]int64, Horizon, error) // one snapshot
	// PublicChats lists the public chats that are not archived.
	PublicChats(ctx context.Context, userID, q string, p Page) (chats []PublicChat, next string, err error)
}

// MemberStore reads members and keeps cursors.
type MemberStore interface {
	Members(ctx context.Context, userID, chatID string, p Page) (members []Member, next string, err error)
	// Knowing returns who of the users knows the actor: they share a chat that the user
	// has not got as a request.
	Knowing(ctx context.Context, actorID string, userIDs []string) (map[string]bool, error)
	SetCursor(ctx context.Context, userID, chatID string, ch CursorChange) (CursorMoved, error)
	Cursors(ctx context.Context, userID, chatID string, p Page) (cursors []Cursor, next string, err error)
}

// BlockStore reads whom a user has blocked.
type BlockStore interface {
	Blocked(ctx context.Context, userID string, p Page) (users []User, next string, err error) // by username
	BlockedIDs(ctx context.Context, userID string) ([]string, error)
}

// MessageStore stores sends by group commit and reads messages.
type MessageStore interface {
	// Send waits for the commit. When ctx ends first the send is not undone: the
	// error is unknown_outcome.
	Send(ctx context.Context, m Send) (Sent, error)
	// Enqueue is Send without the wait: sends to one chat are stored in the order of
	// the calls. The store calls done once with the outcome, on any goroutine, also
	// before Enqueue returns; done must not block.
	Enqueue(m Send, done func(Sent, error))
	// SentByKey returns not_found if the key is new, key_reused as Send.AdmitReplay
	// decides.
	SentByKey(ctx context.Context, m Send) (Sent, error)
	// PlaceOfMessage does not check membership: see changeMessage and Service.PlaceOf.
	PlaceOfMessage(ctx context.Context, messageID string) (chatID string, seq int64, err error)
	Message(ctx context.Context, userID, messageID string) (Message, error)
	History(ctx context.Context, userID, chatID string, r Range) (History, error)
	Reactors(ctx context.Context, userID, messageID, emoji string, p Page) (userIDs []string, next string, err error)
}

// AdminStore is what administrators see and do.
type AdminStore interface {
	Account(ctx context.Context, userID string) (Account, error)
	AccountNamed(ctx context.Context, username string) (Account, error)
	// Accounts lists accounts as Users lists users.
	Accounts(ctx context.Context, q string, p Page) (accounts []Account, next string, err error)
	// Audit lists the log, newest first.
	// NoteAbsent remembers that the settings named an administrator whom nobody was, and
	// WasAbsent reports whether it does.
	NoteAbsent(ctx context.Context, username string) error
	WasAbsent(ctx context.Context, username string) (bool, error)
	Audit(ctx context.Context, p Page) (entries []AuditEntry, next string, err error)
	// Administer runs fn in one transaction, one at a time, with the personal stream
	// of the subject locked if it is a user. fn may run more than once.
	Administer(ctx context.Context, subject string, fn func(context.Context, AdminTx) error) error
	RetentionStore
	DeletionStore
	JobStore
}

// DeletionStore removes what is left of deleted chats, a bounded part at a time.
type DeletionStore interface {
	// UntoldChat returns a deleted chat with former members who are still to be told, ""
	// if there is none.
	UntoldChat(ctx context.Context) (chatID string, err error)
	// Farewell tells at most limit of them, each by a personal event.
	Farewell(ctx context.Context, chatID string, limit int) (done bool, err error)
	// DeletedChat returns a chat that was deleted longer ago than after, "" if there is none.
	DeletedChat(ctx context.Context, after time.Duration) (chatID string, err error)
	// PurgeChat removes at most limit of the chat's messages or events, and at the end the
	// chat.
	PurgeChat(ctx context.Context, chatID string, limit int) (done bool, err error)
}

// RetentionStore finds what has expired.
type RetentionStore interface {
	Retentions(ctx context.Context, q string, p Page) (chats []Retention, next string, err error)
	// ClaimRetention reports whether the sweep may go on: it holds the claim, or is
	// the first to ask since the last one ended. The claim lasts from now.
	ClaimRetention(ctx context.Context, sweep string, lasts time.Duration) (bool, error)
	// ExpiringChats lists them by id.
	ExpiringChats(ctx context.Context, after string, limit int) ([]Expiring, error)
	// ExpiredMessages lists messages that are not deleted yet, oldest first; none if
	// the retention has changed.
	ExpiredMessages(ctx context.Context, c Expiring, limit int) (messageIDs []string, err error)
	// SaveExpired records that nothing of c is left, unless the retention has changed.
	SaveExpired(ctx context.Context, c Expiring) error
}

// AdminTx is one transaction of Administer. It is for the goroutine that runs fn,
// until fn returns.
type AdminTx interface {
	Now() Time
	Account(ctx context.Context, userID string) (Account, error)
	SaveAccount(ctx context.Context, a Account) error // administrator and suspension
	// SaveNames asks User.AdmitSignUp and AdmitName about names that the user did not have.
	SaveNames(ctx context.Context, u User) error
	// SaveVerifiedEmail returns whether it was another one. Errors: conflict for somebody
	// else's.
	SaveVerifiedEmail(ctx context.Context, userID, address string) (changed bool, err error)
	Administrators(ctx context.Context) (int, error)                // those not suspended
	RevokeSessions(ctx context.Context, userID string) (int, error) // keys are sessions, too
	// DeleteUser takes a user's profile, and everything that they could sign in with or let
	// others in by, and puts the job of DepartureJob. They are no account from then on, and
	// in no list; User still returns them, by that name. Errors: conflict if passwordHash is
	// no longer that of their password.
	DeleteUser(ctx context.Context, userID, passwordHash, name string) error
	DeleteFactors(ctx context.Context, userID string) error // everything but the password
	Retention(ctx context.Context, chatID string) (Retention, error)
	SaveRetention(ctx context.Context, chatID string, days int) error
	// DeleteChat ends all memberships, with the chat's last event, and returns how many
	// there were.
	DeleteChat(ctx context.Context, chatID string) (members int, err error)
	Record(ctx context.Context, e AuditEntry) error // at Now
	InsertCode(ctx context.Context, c LinkCode) error
	CountKeys(ctx context.Context, botID string) (int, error)
	InsertKey(ctx context.Context, k Key, tokenHash []byte) error
	// DeleteKey also appends a personal event session.revoked. Errors: not_found.
	DeleteKey(ctx context.Context, botID, keyID string) (Key, error)
	Workspace(ctx context.Context) (Workspace, error)
	SaveWorkspace(ctx context.Context, w Workspace) error
	JobTx
}

// EventStore reads the log.
type EventStore interface {
	Epoch(ctx context.Context) (epoch string, now Time, err error) // and the database's clock
	Events(ctx context.Context, userID, chatID string, after int64, limit int) (EventPage, error)
}

// Tx is one transaction of Change on its chat, with the streams locked. It is for
// the goroutine that runs fn, until fn returns.
type Tx interface {
	ChatTx
	MemberTx
	BlockTx
	MessageTx
	EventTx
	// Beside returns the same transaction on the chat of an Inbox.Oldest.
	Beside(chatID string) (Tx, error)
}

// ChatTx is a transaction's view of its chat.
type ChatTx interface {
	ChatID() string
	// Chat returns the chat with MemberCount, and with MemberIDs if its kind has them.
	// Errors: not_found.
	Chat(ctx context.Context) (Chat, error)
	ChatByKey(ctx context.Context, userID, key string) (chatID string, fingerprint []byte, err error)
	ChatByDirectKey(ctx context.Context, directKey string) (chatID string, err error)
	InsertChat(ctx context.Context, c Chat, f ChatFacts) error
	SaveChat(ctx context.Context, c Chat) error
}

// ChatFacts is what a chat can be found by besides its id; each may be empty.
type ChatFacts struct {
	DirectKey   string
	Key         string // idempotency key of the creation, unique per creator
	Fingerprint []byte
}

// MemberTx is a transaction's view of its chat's members. The member count
// follows InsertMembers and DeleteMember.
type MemberTx interface {
	Member(ctx context.Context, userID string) (Member, error)
	Owners(ctx context.Context) (int, error)
	InsertMembers(ctx context.Context, m []Member) error // cursors start at AddedSeq
	SaveMember(ctx context.Context, m Member) error      // role and what is private
	DeleteMember(ctx context.Context, userID string) error
	// AcceptedChats returns how many chats of their own a user has, and keeps everything
	// else from giving the user another until the transaction ends.
	AcceptedChats(ctx context.Context, userID string) (int, error)
	// Inboxes returns the inboxes by user id, with what bars each of them and the actor;
	// unknown users are absent.
	Inboxes(ctx context.Context, actorID string, userIDs []string) (map[string]Inbox, error)
	// MemberNames returns the ids of members by username.
	MemberNames(ctx context.Context, usernames []string) (map[string]string, error)
}

// BlockTx changes blocks.
type BlockTx interface {
	// SaveBlock adds or deletes a block, and returns how many the user has then. changed
	// is false if there was nothing to do. Errors: not_found.
	SaveBlock(ctx context.Context, userID, otherID string, blocked bool) (changed bool, count int, err error)
}

// MessageTx is a transaction's view of its chat's messages.
type MessageTx interface {
	Message(ctx context.Context, id string) (Message, error) // of this chat; without Reactions
	// SaveMessage writes content, version, times and mentions, and queues the message
	// in index_outbox.
	SaveMessage(ctx context.Context, m Message) error
	// Spelling returns the emoji as the message's reactions spell it: the same but for
	// EmojiSelector, and the given one if there is none.
	Spelling(ctx context.Context, messageID, emoji string) (string, error)
	AddReaction(ctx context.Context, messageID, userID, emoji string) (added bool, distinct int, err error)
	RemoveReaction(ctx context.Context, messageID, userID, emoji string) (removed bool, err error)
}

// EventTx appends to the locked streams.
type EventTx interface {
	Now() Time // the database's clock after the lock, never before the stream's last event
	// Append adds an event to the chat's stream with the next seq, Now and the
	// transaction's OpID, and returns the seq.
	Append(ctx context.Context, e Event) (int64, error)
	AppendPersonal(ctx context.Context, userID string, e Event) error
	// Members returns how many members the chat has now; 0 before it is inserted.
	Members() int
}

// Publisher receives every committed event, after its commit, in seq order as far
// as one node can tell. Publish must not block.
type Publisher interface {
	Publish(events []Event)
}
