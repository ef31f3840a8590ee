// Package persistencetest is a suite of what every database behind persistence.Store
// must do. It uses the store the way the program does, through chat.Service where
// that has a use case, and knows nothing about databases.
package persistencetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"fechatter/chat"
	"fechatter/persistence"
)

// Open returns a running store on an empty database; it ends with the test.
type Open func(t testing.TB, publisher chat.Publisher) *persistence.Store

// Run runs the suite. Every part gets its own database.
func Run(t *testing.T, open Open) {
	for name, part := range map[string]func(*testing.T, *fixture){
		"users": testUsers, "status": testStatus, "user pages": testUserPages, "users by id": testUsersByID, "names": testNames, "names at once": testNamesAtOnce, "sessions": testSessions, "password": testPassword, "password race": testPasswordRace,
		"presence": testPresence, "shared chats": testSharedChats, "last active": testLastActive, "presence refusals": testPresenceRefusals,
		"chats": testChats, "creation key": testCreationKey, "direct": testDirect, "direct race": testDirectRace,
		"public": testPublic, "entries": testEntries, "last reactions": testLastReactions, "emoji spelling": testEmojiSpelling,
		"entry pages": testEntryPages,
		"requests":    testRequests, "joined is known": testJoinedIsKnown, "full inbox": testFullInbox, "full inbox race": testFullInboxRace,
		"crowded inbox": testCrowdedInbox,
		"unused chats":  testUnusedChats, "accept race": testAcceptRace, "reopening": testReopening,
		"many invite one": testManyInviteOne, "own chats limit": testOwnChatsLimit, "own chats race": testOwnChatsRace,
		"deletion": testDeletion, "deletion of many": testDeletionOfMany, "deletion race": testDeletionRace,
		"deletion goes on": testDeletionGoesOn,
		"deleted account":  testDeletedAccount, "deleted account race": testDeletedAccountRace, "departure": testDeparture,
		"hidden": testHidden, "hidden race": testHiddenRace,
		"blocks": testBlocks, "blocked presence": testBlockedPresence, "blocked mentions": testBlockedMentions, "block race": testBlockRace,
		"members": testMembers, "readmission": testReadmission, "unknown ids": testUnknownIDs,
		"send": testSend, "keys": testKeys, "keys at once": testKeysAtOnce, "removed sender": testRemovedSender,
		"refused sends": testRefusedSends, "mentions": testMentions, "history": testHistory, "history snapshot": testHistorySnapshot,
		"edit": testEdit, "reactions": testReactions, "cursors": testCursors, "cursor race": testCursorRace, "hidden cursors": testHiddenCursors, "unread": testUnread,
		"events": testEvents, "replay": testReplay, "fold": testFold, "personal": testPersonal, "positions": testPositions,
		"cursors at": testCursorsAt, "horizon of a change": testHorizonOfAChange, "tokens": testTokens, "change": testChange, "senders": testSenders,
		"publish order": testPublishOrder, "given up": testGivenUp, "trim": testTrim, "canary": testCanary, "epoch": testEpoch,
		"bus keys": testBusKeys, "bus key race": testBusKeyRace, "bus keys end": testBusKeysEnd,
		"first user": testFirstUser, "named administrators": testNamedInsteadOfFirst, "last administrator": testLastAdministrator,
		"suspension": testSuspension, "suspension race": testSuspensionRace, "retention claim": testRetentionClaim,
		"certificates": testCertificates, "outbox": testOutbox, "outbox refusals": testOutboxRefusals, "leases": testLeases,
		"index pages": testIndexPages, "search reads": testSearchReads, "chats by name": testChatsByName, "users by name": testUsersByName,
		"jobs": testJobs, "jobs at once": testJobsAtOnce, "late finisher": testLateFinisher, "claim from the future": testClaimFromTheFuture,
		"replaced job": testReplacedJob, "kept job": testKeptJob, "dead jobs": testDeadJobs,
		"jobs and their cause": testJobsAreWrittenWithTheirCause,
		"setup":                testSetup, "setup codes": testSetupCodes, "setup race": testSetupRace,
		"invitations": testInvitations, "invitation refusals": testInvitationRefusals, "last use race": testLastUseRace,
		"email": testEmail, "mailbox": testMailbox, "password reset": testPasswordReset, "stale letters": testStaleLetters, "told": testTold, "invitation race": testInvitationRace,
		"totp": testTOTP, "second step": testSecondStep, "challenge ends": testChallengeEnds, "code race": testCodeRace,
		"required factor": testRequiredFactor, "spent": testSpent, "passwords off": testPasswordsOff,
		"passkeys": testPasskeys, "challenge once": testChallengeOnce,
		"identities": testIdentities, "identity names": testIdentityNames, "identity race": testIdentityRace, "identity rules": testIdentityRules, "identity entrance": testIdentityEntrance,
		"identity begins": testIdentityBegins, "lost farewell": testLostFarewell, "identity reset": testIdentityReset,
		"identity groups": testIdentityGroups, "farewell": testFarewell,
		"bots": testBots, "own bots": testOwnBots, "bot keys": testBotKeys, "delegation": testDelegation, "externals": testExternals, "hooks": testHooks,
		"files": testFiles, "file refusals": testFileRefusals, "file ends": testFileEnds, "held file": testHeldFile, "file race": testFileRace, "chat files": testChatFiles,
		"index log": testIndexLog, "usage": testUsage, "index log in portions": testIndexLogInPortions,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			published := &recorder{last: map[string]int64{}}
			f := newFixture(t, open(t, published), published)
			part(t, f)
			published.check(t)
		})
	}
}

// fixture is a store and the use cases on top of it.
type fixture struct {
	t         testing.TB
	store     *persistence.Store
	svc       *chat.Service
	published *recorder
}

func newFixture(t testing.TB, store *persistence.Store, published *recorder) *fixture {
	return &fixture{t: t, store: store, svc: Service(store), published: published}
}

// NewID makes an id the way the program does.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// openPasswords does not hash: this suite is not about passwords.
type openPasswords struct{}

func (openPasswords) Hash(_ context.Context, password string) (string, error) { return password, nil }
func (openPasswords) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == password, nil
}
func (openPasswords) VerifyNone(context.Context, string) error { return nil }
func (openPasswords) Common(string) bool                       { return false }

// recorder is a publisher that remembers events and notices wrong order.
type recorder struct {
	mu     sync.Mutex
	events []chat.Event
	last   map[string]int64
	wrong  []string
}

func (r *recorder) Publish(events []chat.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		if e.Seq != r.last[e.StreamID]+1 {
			r.wrong = append(r.wrong, fmt.Sprintf("%s: seq %d after %d", e.StreamID, e.Seq, r.last[e.StreamID]))
		}
		r.last[e.StreamID] = e.Seq
		r.events = append(r.events, e)
	}
}

// of returns what has been published to a stream so far.
func (r *recorder) of(stream string) []chat.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.events), func(e chat.Event) bool { return e.StreamID != stream })
}

// check fails if events of a stream were missing, repeated or out of order.
func (r *recorder) check(t testing.TB) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.wrong) > 0 {
		t.Errorf("published out of order, %d times, the first: %s", len(r.wrong), r.wrong[0])
	}
}

func (f *fixture) user(name string) chat.User {
	f.t.Helper()
	u, err := f.svc.SignUp(f.t.Context(), chat.NewUser{Username: name, Password: "a good password"})
	must(f.t, err)
	return u
}

func (f *fixture) users(names ...string) []chat.User {
	f.t.Helper()
	users := make([]chat.User, len(names))
	for i, name := range names {
		users[i] = f.user(name)
	}
	return users
}

// group makes a group chat, created by the first user.
func (f *fixture) group(users ...chat.User) chat.Chat {
	f.t.Helper()
	ids := make([]string, 0, len(users))
	for _, u := range users[1:] {
		ids = append(ids, u.ID)
	}
	c, _, err := f.svc.CreateChat(f.t.Context(), users[0].ID, chat.NewChat{Kind: chat.Group, MemberIDs: ids})
	must(f.t, err)
	return c
}

func (f *fixture) send(c chat.Chat, u chat.User, body string) chat.Sent {
	f.t.Helper()
	sent, err := f.svc.Send(f.t.Context(), chat.Send{ChatID: c.ID, SenderID: u.ID, Key: NewID(), Body: body})
	must(f.t, err)
	return sent
}

func (f *fixture) entry(c chat.Chat, u chat.User) chat.Entry {
	f.t.Helper()
	e, err := f.store.Entry(f.t.Context(), u.ID, c.ID)
	must(f.t, err)
	return e
}

// log reads the whole log of a stream.
func (f *fixture) log(stream string) []chat.Event {
	f.t.Helper()
	events, err := f.store.StreamEvents(f.t.Context(), stream, 0, 1_000_000)
	must(f.t, err)
	return events
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fine is must for goroutines beside the test's own, which may not end it.
func fine(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// refused fails unless err has the code.
func refused(t testing.TB, err error, code chat.Code) {
	t.Helper()
	if chat.CodeOf(err) != code {
		t.Errorf("got %v, want the code %s", err, code)
	}
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func equalSlices[T comparable](t testing.TB, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func mapTo[T, U any](list []T, fn func(T) U) []U {
	out := make([]U, len(list))
	for i, v := range list {
		out[i] = fn(v)
	}
	return out
}

// pages reads a whole list, two at a time, and fails on a short page before the end.
func pages[T any](t testing.TB, read func(chat.Page) ([]T, string, error)) []T {
	t.Helper()
	var all []T
	for after, n := "", 0; ; n++ {
		list, next, err := read(chat.Page{After: after, Limit: 2})
		must(t, err)
		all = append(all, list...)
		if next == "" {
			return all
		}
		if len(list) != 2 || n > 100 {
			t.Fatalf("page %d has %d rows and a next page", n, len(list))
		}
		after = next
	}
}
