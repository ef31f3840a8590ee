package server_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"fechatter/app"
	"fechatter/conform/client"
	"fechatter/indexer/meilitest"
)

func withMeilisearch(s *meilitest.Server) func(*app.Config) {
	return func(c *app.Config) {
		c.Search = s.URL
		c.Meilisearch = app.Meilisearch{Index: "messages", ConnectionTimeoutMS: 1000, RequestTimeoutMS: 1000}
	}
}

// stored is every message that is not deleted, by id, as an index should have it.
func stored(t *testing.T, file string) map[string]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(30000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), "SELECT id, chat_id, seq, sender_id, body, created_at, version FROM messages WHERE deleted_at IS NULL")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	list := map[string]string{}
	for rows.Next() {
		var id, chat, sender, body string
		var seq, created, version int64
		if err := rows.Scan(&id, &chat, &seq, &sender, &body, &created, &version); err != nil {
			t.Fatal(err)
		}
		list[id] = fmt.Sprintln(chat, seq, sender, body, created, version)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// held is what the index has, in the same form.
func held(s *meilitest.Server) map[string]string {
	list := map[string]string{}
	for id, d := range s.Documents("messages") {
		list[id] = fmt.Sprintln(d.Text("chat_id"), d.Int("seq"), d.Text("sender_id"), d.Text("body"), d.Int("created_at"), d.Int("version"))
	}
	return list
}

// writers starts people who send, edit and delete until stopped; nothing may fail.
func writers(t *testing.T, people []*client.Person, chatID string) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var working sync.WaitGroup
	for i, p := range people {
		working.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(i)))
			for n := 0; ctx.Err() == nil; n++ {
				var m struct{ ID string }
				body := map[string]any{"body": fmt.Sprintf("%s wrote %d", p.Name, n)}
				p.Rest("POST", "/chats/"+chatID+"/messages", body, http.StatusCreated, &m, "Idempotency-Key", client.NewKey())
				switch rng.IntN(6) {
				case 0:
					p.Rest("PATCH", "/messages/"+m.ID, map[string]any{"body": body["body"].(string) + " again", "version": 1}, http.StatusOK, nil)
				case 1:
					p.Rest("DELETE", "/messages/"+m.ID, nil, http.StatusOK, nil)
				}
				select {
				case <-time.After(10 * time.Millisecond): // a pace, as of people
				case <-ctx.Done():
				}
			}
		})
	}
	return func() {
		cancel()
		working.Wait()
	}
}

// Whatever the search engine does, people go on writing, a search answers the truth or
// that it is unavailable, and in the end the index equals the database, row by row.
func TestSearchEngineThatFails(t *testing.T) {
	t.Parallel()
	engine := meilitest.Start(t)
	var file string
	n := startNode(t, withMeilisearch(engine), withDatabase(&file))
	people := []*client.Person{client.SignUp(t, n.url, "ada"), client.SignUp(t, n.url, "bob"), client.SignUp(t, n.url, "cid")}
	chatID := people[0].Group(people[1:]...)
	stop := writers(t, people, chatID)
	lasts := func() {
		for range 6 {
			a := people[0].Do("GET", "/search?q=wrote", nil)
			if a.Status != http.StatusOK && a.Status != http.StatusServiceUnavailable {
				t.Errorf("a search is answered %d: %s", a.Status, a.Body)
			}
			select {
			case <-time.After(60 * time.Millisecond):
			case <-t.Context().Done():
			}
		}
	}
	for _, status := range []int{503, 429, 500} {
		engine.SetStatus(status)
		lasts()
		engine.SetStatus(0)
	}
	lift := engine.Hang()
	lasts()
	lift()
	engine.FailTasks("internal", "internal", func(meilitest.Document) bool { return true })
	lasts()
	engine.FailTasks("", "", nil)
	release := engine.HoldTasks()
	lasts()
	engine.LoseQueue()
	release()
	lasts()
	engine.Wipe()
	lasts()
	stop()
	for deadline := time.Now().Add(time.Minute); ; {
		want, got := stored(t, file), held(engine)
		if maps.Equal(want, got) {
			t.Logf("%d messages", len(want))
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d messages are stored, %d are in the index, or they are not the same", len(want), len(got))
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
	indexed(t, people[0])
	finds(t, people[1], `"ada wrote 0"`, "", search(t, people[0], `"ada wrote 0"`, "").bodies()...)
}

// A message that the engine refuses is found all the same, and does not keep the
// others from being indexed.
func TestPoisonedMessage(t *testing.T) {
	t.Parallel()
	engine := meilitest.Start(t)
	engine.FailTasks("invalid_request", "invalid_document_fields", func(d meilitest.Document) bool { return d["body"] == "poison" })
	n := startNode(t, withMeilisearch(engine))
	ada := client.SignUp(t, n.url, "ada")
	id := ada.Group()
	for _, body := range []string{"sound one", "poison", "sound two"} {
		ada.Say(id, body)
	}
	indexed(t, ada)
	if got := len(engine.Documents("messages")); got != 2 {
		t.Errorf("%d documents", got)
	}
	finds(t, ada, "sound", "", "sound one", "sound two")
	finds(t, ada, "poison", "", "poison")
}
