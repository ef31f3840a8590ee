package persistencetest

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"fechatter/chat"
)

// testBusKeys: a new database has one key, in force from the first moment, and no nodes that do
// not sign. A rotation adds one that is in force later, when the old one begins to end.
func testBusKeys(t *testing.T, f *fixture) {
	first, err := f.store.BusKeys(f.t.Context())
	must(t, err)
	equal(t, "keys", len(first.Keys), 1)
	equal(t, "secret", len(first.Keys[0].Secret), 32)
	equal(t, "in force", first.Keys[0].From <= first.Now && first.Keys[0].Until == 0, true)
	equal(t, "unsigned nodes", first.UnsignedUntil, 0)

	made, err := f.store.RotateBusKey(f.t.Context(), time.Hour, time.Minute)
	must(t, err)
	keys, err := f.store.BusKeys(f.t.Context())
	must(t, err)
	equal(t, "keys", len(keys.Keys), 2)
	was, is := keys.Keys[0], keys.Keys[1]
	equal(t, "the old one", was.ID == first.Keys[0].ID && bytes.Equal(was.Secret, first.Keys[0].Secret), true)
	equal(t, "the new one", is.ID == made.ID && is.ID != was.ID && bytes.Equal(is.Secret, made.Secret) && !bytes.Equal(is.Secret, was.Secret), true)
	equal(t, "later", is.From >= first.Now.Add(time.Hour) && is.From <= keys.Now.Add(time.Hour), true)
	equal(t, "ends", was.Until, is.From.Add(time.Minute))

	_, err = f.store.RotateBusKey(f.t.Context(), time.Hour, time.Minute)
	equal(t, "meanwhile", chat.CodeOf(err), chat.Conflict)
	entries, _, err := f.store.Audit(f.t.Context(), chat.Page{Limit: 10})
	must(t, err)
	equal(t, "recorded", len(entries) == 1 && entries[0].Action == chat.AuditBusKeyRotated && entries[0].Actor == chat.Operator, true)
}

// testBusKeyRace: of rotations that begin together, one takes place; when it is over, the next may.
func testBusKeyRace(t *testing.T, f *fixture) {
	var all sync.WaitGroup
	codes := make(chan chat.Code, 8)
	for range cap(codes) {
		all.Go(func() {
			_, err := f.store.RotateBusKey(f.t.Context(), time.Hour, time.Hour)
			codes <- chat.CodeOf(err)
		})
	}
	all.Wait()
	close(codes)
	made := 0
	for code := range codes {
		if code == "" {
			made++
		} else {
			equal(t, "refused", code, chat.Conflict)
		}
	}
	equal(t, "made", made, 1)
}

// testBusKeysEnd: keys that have ended are dropped by the next rotation.
func testBusKeysEnd(t *testing.T, f *fixture) {
	for range 3 {
		_, err := f.store.RotateBusKey(f.t.Context(), -time.Hour, time.Minute)
		must(t, err)
	}
	keys, err := f.store.BusKeys(f.t.Context())
	must(t, err)
	equal(t, "keys", len(keys.Keys), 2)
	equal(t, "the newest", keys.Keys[1].ID, 4)
}
