package persistence_test

import (
	"testing"

	"fechatter/chat"
	"fechatter/persistence/persistencetest"
)

// Up to a size a group lists its members; beyond that it only counts them. The test
// sets the count by hand instead of adding a thousand people.
func TestLargeGroupDoesNotListItsMembers(t *testing.T) {
	databases(t, func(t *testing.T, databaseURL string) {
		store, err := open(t, databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		rooms, people := persistencetest.Populate(t, store, 1, 3)
		user, room, db := people[0][0].ID, rooms[0].ID, raw(t, databaseURL)
		for members, want := range map[int]int{chat.MaxMemberIDs: 3, chat.MaxMemberIDs + 1: 0} {
			execRaw(t, db, "UPDATE streams SET members = $1 WHERE id = $2", members, room)
			e, err := store.Entry(t.Context(), user, room)
			if err != nil || len(e.MemberIDs) != want || e.MemberCount != members {
				t.Errorf("the entry of a group of %d counts %d and lists %d, %v", members, e.MemberCount, len(e.MemberIDs), err)
			}
			c, err := store.Chat(t.Context(), user, room)
			if err != nil || len(c.MemberIDs) != want {
				t.Errorf("a group of %d lists %d, %v", members, len(c.MemberIDs), err)
			}
		}
	})
}
