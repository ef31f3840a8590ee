package persistence_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"fechatter/chat"
	"fechatter/persistence"
	"fechatter/persistence/persistencetest"
)

// TestWishesForAPasswordAreAlike: what is done for one does not depend on whether anybody has
// that name or address, so that its time tells nothing either.
func TestWishesForAPasswordAreAlike(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	cfg := persistence.Config{URL: sqliteURL(t)}.WithTrace(func(query string, _ []any) {
		mu.Lock()
		defer mu.Unlock()
		if !strings.Contains(query, "PRAGMA") {
			seen = append(seen, query)
		}
	})
	store := start(t, cfg, nobody{})
	svc := persistencetest.Service(store).WithMail()
	if _, err := svc.SignUp(t.Context(), chat.NewUser{Username: "ann", Password: "a good password", Email: "ann@example.org"}); err != nil {
		t.Fatal(err)
	}
	var ways [][]string
	for _, r := range []chat.ResetRequest{{Username: "ann"}, {Username: "nobody"}, {Email: "ann@example.org"}, {Email: "nobody@example.org"}, {Username: "no name at all"}, {Username: "ann"}} {
		mu.Lock()
		seen = nil
		mu.Unlock()
		if err := svc.RequestReset(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		ways = append(ways, slices.Clone(seen))
		mu.Unlock()
	}
	for i, way := range ways {
		if len(way) < 3 || !slices.Equal(way, ways[0]) {
			t.Errorf("wish %d: %d statements, the first had %d:\n%s", i, len(way), len(ways[0]), strings.Join(way, "\n"))
		}
	}
}
