package persistence_test

import (
	"bytes"
	"testing"
	"time"

	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// A database of the release before gets its first key, and an hour in which nodes of that release
// may still be there. Nodes that start together, and later ones, have the same.
func TestBusKeysOfAnUpgrade(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		first := start(t, persistence.Config{URL: databaseURL}, nobody{})
		persistencetest.Populate(t, first, 1, 2)
		execRaw(t, raw(t, databaseURL), "DELETE FROM meta WHERE name = 'bus'") // as it was
		var keys []persistence.BusKeys
		for range 2 {
			store := start(t, persistence.Config{URL: databaseURL}, nobody{})
			k, err := store.BusKeys(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, k)
		}
		if !bytes.Equal(keys[0].Keys[0].Secret, keys[1].Keys[0].Secret) || keys[0].UnsignedUntil != keys[1].UnsignedUntil {
			t.Errorf("two nodes have %+v and %+v", keys[0], keys[1])
		}
		if left := keys[0].UnsignedUntil.Time().Sub(keys[0].Now.Time()); left <= 0 || left > time.Hour {
			t.Errorf("the release before may be there for %v more", left)
		}
	})
}

// Keys that cannot be read are an error that shows nothing of them.
func TestUnreadableBusKeys(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store := start(t, persistence.Config{URL: databaseURL}, nobody{})
		for _, value := range []string{"", "geheim", `{"keys":[]}`, `{"keys":"geheim"}`} {
			execRaw(t, raw(t, databaseURL), "UPDATE meta SET value = $1 WHERE name = 'bus'", value)
			_, err := store.BusKeys(t.Context())
			_, rotateErr := store.RotateBusKey(t.Context(), time.Hour, time.Hour)
			for _, err := range []error{err, rotateErr} {
				if err == nil || bytes.Contains([]byte(err.Error()), []byte("geheim")) {
					t.Errorf("%q: %v", value, err)
				}
			}
		}
	})
}
