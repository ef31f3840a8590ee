package persistencetest

import (
	"context"
	"fmt"
	"testing"

	"fechatter/chat"
	"fechatter/persistence"
)

// Service returns the use cases on top of a store. It does not hash passwords.
func Service(store *persistence.Store) *chat.Service {
	return Limited(store, chat.DefaultLimits())
}

// Limited returns the use cases over a store, with limits at which little is much.
func Limited(store *persistence.Store, limits chat.Limits) *chat.Service {
	return chat.NewService(store, openPasswords{}, NewID, store.Secret(), limits)
}

// Populate makes chats with a number of users each, who are in no other chat.
func Populate(t testing.TB, store *persistence.Store, chats, usersEach int) ([]chat.Chat, [][]chat.User) {
	t.Helper()
	svc, ctx := Service(store), context.Background()
	rooms, people := make([]chat.Chat, chats), make([][]chat.User, chats)
	for i := range rooms {
		ids := make([]string, usersEach)
		for j := range usersEach {
			u, err := svc.SignUp(ctx, chat.NewUser{Username: fmt.Sprintf("user%d-%d", i, j), Password: "a good password"})
			must(t, err)
			people[i], ids[j] = append(people[i], u), u.ID
		}
		c, _, err := svc.CreateChat(ctx, ids[0], chat.NewChat{Kind: chat.Group, MemberIDs: ids[1:]})
		must(t, err)
		rooms[i] = c
	}
	return rooms, people
}
