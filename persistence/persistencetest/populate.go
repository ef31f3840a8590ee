package persistencetest

import (
	"context"
	"fmt"
	"testing"

	"fechatter/chat"
	"fechatter/persistence"
)

// Service gives the use cases over a store, without a password hash worth the name.
func Service(store *persistence.Store) *chat.Service {
	return chat.NewService(store, openPasswords{}, NewID, store.Secret(), chat.DefaultLimits())
}

// Populate makes chats of so many users each, whom no other chat has.
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
