package conform

import (
	"net/http"

	"fechatter/conform/client"
)

// §3, the lists.

func listLimits(t *T, c *cast) {
	id := c.ada.Group(c.bob)
	m := say(c.ada, id, "x").ID
	seqOf(c.ada, "PUT", "/messages/"+m+"/reactions/👍")
	for _, path := range []string{"/sessions", "/users", "/chats", "/chats/public", "/chats/" + id + "/members", "/chats/" + id + "/messages",
		"/chats/" + id + "/cursors", "/chats/" + id + "/events", "/messages/" + m + "/reactions/👍"} {
		for _, limit := range []string{"0", "201", "-1", "x", "1.5"} {
			refused(t, c.ada, "bad_request", "GET", path+"?limit="+limit, nil)
		}
		c.ada.Rest("GET", path+"?limit=200", nil, http.StatusOK, nil)
		c.ada.Rest("GET", path+"?limit=1", nil, http.StatusOK, nil)
	}
	for _, path := range []string{"/sessions", "/users", "/chats", "/chats/public", "/chats/" + id + "/members", "/chats/" + id + "/cursors"} {
		refused(t, c.ada, "bad_request", "GET", path+"?after=nonsense", nil)
	}
}

func defaultLimit(t *T, c *cast) {
	id := c.ada.Group()
	for range 28 { // with the chat and its member 58 events
		c.ada.Rest("PATCH", "/chats/"+id, object{"topic": "this"}, http.StatusOK, nil)
		c.ada.Rest("PATCH", "/chats/"+id, object{"topic": "that"}, http.StatusOK, nil)
	}
	equal(t, "events without a limit", len(get[events](c.ada, "/chats/"+id+"/events").Events), 50)
	equal(t, "events with limit=200", len(get[events](c.ada, "/chats/"+id+"/events?limit=200").Events), 58)
}

// paging reads lists item by item: everything comes, and nothing twice.
func paging(t *T, c *cast) {
	id := c.ada.Group(c.bob, c.eve)
	m := say(c.ada, id, "x").ID
	for _, p := range []*client.Person{c.ada, c.bob, c.eve} {
		seqOf(p, "PUT", "/messages/"+m+"/reactions/👍")
	}
	for path, name := range map[string][2]string{
		"/users?q=" + c.name + "&limit=1":          {"users", "id"},
		"/chats/" + id + "/members?limit=1":        {"members", "user_id"},
		"/chats/" + id + "/cursors?limit=1":        {"cursors", "user_id"},
		"/messages/" + m + "/reactions/👍?limit=1":  {"user_ids", ""},
		"/messages/" + m + "/reactions/👍?limit=50": {"user_ids", ""},
	} {
		seen := map[string]int{}
		each(c.bob, path, func(a client.Answer) {
			var page map[string]any
			a.Read(t, &page)
			items, ok := page[name[0]].([]any)
			if !ok {
				t.Fatalf("GET %s: no %s in %s", path, name[0], a.Body)
			}
			for _, item := range items {
				if o, isObject := item.(object); isObject {
					item = o[name[1]]
				}
				seen[item.(string)]++
			}
		})
		for _, p := range []*client.Person{c.ada, c.bob, c.eve} {
			if seen[p.ID] != 1 {
				t.Errorf("GET %s lists %s %d times", path, p.Name, seen[p.ID])
			}
		}
	}
}

func chatPaging(t *T, c *cast) {
	made := map[string]bool{}
	for range 5 {
		made[c.ada.Group(c.bob)] = true
	}
	seen := map[string]bool{}
	each(c.ada, "/chats?limit=2", func(a client.Answer) {
		var page struct{ Chats []entry }
		a.Read(t, &page)
		if len(page.Chats) > 2 {
			t.Errorf("a page of %d", len(page.Chats))
		}
		for _, e := range page.Chats {
			if seen[e.ID] {
				t.Errorf("chat %s is listed twice", e.ID)
			}
			seen[e.ID] = true
			delete(made, e.ID)
		}
	})
	equal(t, "chats on no page", len(made), 0)
	id := c.ada.Group()
	var first struct {
		Chats []entry
		Epoch string
	}
	get := c.ada.Ask("GET", "/chats?limit=1", nil)
	get.Read(t, &first)
	if len(first.Chats) != 1 || first.Chats[0].ID != id || first.Epoch == "" {
		t.Errorf("the newest activity is not first: %.300s", get.Body)
	}
}
