// Package persistencetest is what every database behind persistence.Store must
// do, as one suite. It uses the store the way the program does, through
// chat.Service where that has a use case, and knows no database.
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

// Open gives a running store over an empty database; it ends with the test.
type Open func(t testing.TB, publisher chat.Publisher) *persistence.Store

// Run runs the suite. Every part gets a database of its own.
func Run(t *testing.T, open Open) {
	for name, part := range map[string]func(*testing.T, *fixture){
		"users": testUsers, "user pages": testUserPages, "sessions": testSessions, "password": testPassword, "password race": testPasswordRace,
		"presence": testPresence, "shared chats": testSharedChats, "last active": testLastActive, "presence refusals": testPresenceRefusals,
		"chats": testChats, "creation key": testCreationKey, "direct": testDirect, "direct race": testDirectRace,
		"public": testPublic, "entries": testEntries, "last reactions": testLastReactions, "entry pages": testEntryPages,
		"members": testMembers, "readmission": testReadmission, "unknown ids": testUnknownIDs,
		"send": testSend, "keys": testKeys, "keys at once": testKeysAtOnce, "removed sender": testRemovedSender,
		"refused sends": testRefusedSends, "mentions": testMentions, "history": testHistory, "history snapshot": testHistorySnapshot,
		"edit": testEdit, "reactions": testReactions, "cursors": testCursors, "cursor race": testCursorRace, "hidden cursors": testHiddenCursors, "unread": testUnread,
		"events": testEvents, "replay": testReplay, "fold": testFold, "personal": testPersonal, "positions": testPositions,
		"cursors at": testCursorsAt, "tokens": testTokens, "change": testChange, "senders": testSenders,
		"publish order": testPublishOrder, "given up": testGivenUp, "trim": testTrim, "canary": testCanary, "epoch": testEpoch,
		"first user": testFirstUser, "named administrators": testNamedInsteadOfFirst, "last administrator": testLastAdministrator,
		"suspension": testSuspension, "suspension race": testSuspensionRace, "retention claim": testRetentionClaim,
		"outbox": testOutbox, "outbox refusals": testOutboxRefusals, "leases": testLeases,
		"index pages": testIndexPages, "search reads": testSearchReads, "chats by name": testChatsByName,
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

// fixture is a store with the use cases over it.
type fixture struct {
	t         testing.TB
	store     *persistence.Store
	svc       *chat.Service
	published *recorder
}

func newFixture(t testing.TB, store *persistence.Store, published *recorder) *fixture {
	return &fixture{t: t, store: store, svc: Service(store), published: published}
}

// NewID makes an id as the program does.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// openPasswords hashes nothing: this suite is not about passwords.
type openPasswords struct{}

func (openPasswords) Hash(_ context.Context, password string) (string, error) { return password, nil }
func (openPasswords) Verify(_ context.Context, hash, password string) (bool, error) {
	return hash == password, nil
}
func (openPasswords) VerifyNone(context.Context, string) error { return nil }

// recorder is a publisher that remembers, and notices what comes out of order.
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

// of gives what was published to a stream so far.
func (r *recorder) of(stream string) []chat.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.events), func(e chat.Event) bool { return e.StreamID != stream })
}

// check fails when any stream was published with a hole, twice or out of order.
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

// group makes a group chat; the first user creates it.
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

// refused fails unless err is a refusal of the code, with a detail of its own.
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

// pages reads a whole list, two at a time, and fails on an empty page before the end.
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
			t.Fatalf("page %d has %d rows and a next", n, len(list))
		}
		after = next
	}
}
