package conform

import (
	"context"
	"net/http"
	"time"

	"fechatter/conform/client"
)

// sweep removes what the run made, as far as the API lets a user: it deletes
// messages, archives and leaves chats, and revokes sessions. Users stay.
func (r *runner) sweep(ctx context.Context) {
	started := time.Now()
	t := attempt(context.WithoutCancel(ctx), sweepLimit, r.pace, func(t *T) {
		r.everybody(t, func(p person) { sweepChats(t, p, "owner") })
		r.everybody(t, func(p person) { sweepChats(t, p, "") })
		r.everybody(t, sweepSessions)
	})
	r.add(resultOf("§4", "what was made can be removed", t, time.Since(started)))
}

// everybody does something for all people at once, since limits are per user.
func (r *runner) everybody(t *T, do func(person)) {
	t.together(len(r.people), func(i int) { do(r.people[i].As(t, "")) })
}

// sweepChats empties and leaves the chats in which p has a role, or any role.
func sweepChats(t *T, p *client.Person, role string) {
	if p.Do("GET", "/me", nil).Status == http.StatusUnauthorized {
		return // a check ended the session and made nothing with it
	}
	for _, e := range entriesOf(p) {
		if role != "" && e.Role != role {
			continue
		}
		sweepMessages(p, e)
		if e.Kind == "direct" {
			continue // cannot be left
		}
		if e.Role == "owner" {
			for _, m := range membersOf(p, e.ID) {
				if m.UserID != p.ID {
					p.Rest("DELETE", "/chats/"+e.ID+"/members/"+m.UserID, nil, http.StatusOK, nil)
				}
			}
			p.Rest("PATCH", "/chats/"+e.ID, object{"archived": true}, http.StatusOK, nil)
		}
		p.Rest("DELETE", "/chats/"+e.ID+"/members/"+p.ID, nil, http.StatusOK, nil)
	}
	for _, e := range entriesOf(p) {
		if e.Kind != "direct" && (role == "" || e.Role == role) {
			t.Errorf("chat %s still exists", e.ID)
		}
	}
}

func sweepMessages(p *client.Person, e entry) {
	for before := e.LastSeq + 1; ; {
		var page history
		p.Rest("GET", "/chats/"+e.ID+"/messages?limit=200&before_seq="+text(before), nil, http.StatusOK, &page)
		for _, m := range page.Messages {
			if m.DeletedAt == "" && (m.SenderID == p.ID || e.Role != "member") {
				p.Rest("DELETE", "/messages/"+m.ID, nil, http.StatusOK, nil)
			}
		}
		if !page.HasMore || len(page.Messages) == 0 {
			return
		}
		before = page.Messages[0].Seq
	}
}

func sweepSessions(p *client.Person) {
	var all struct{ Sessions []session }
	a := p.Do("GET", "/sessions?limit=200", nil)
	if a.Status != http.StatusOK {
		return
	}
	a.Read(p.T(), &all)
	for _, s := range all.Sessions {
		if !s.Current {
			p.Rest("DELETE", "/sessions/"+s.ID, nil, http.StatusNoContent, nil)
		}
	}
	p.Rest("DELETE", "/sessions/current", nil, http.StatusNoContent, nil)
}

// entriesOf and membersOf read whole lists.
func entriesOf(p *client.Person) (all []entry) {
	each(p, "/chats?limit=200", func(a client.Answer) {
		var page struct{ Chats []entry }
		a.Read(p.T(), &page)
		all = append(all, page.Chats...)
	})
	return all
}

func membersOf(p *client.Person, chatID string) (all []member) {
	each(p, "/chats/"+chatID+"/members?limit=200", func(a client.Answer) {
		var page struct{ Members []member }
		a.Read(p.T(), &page)
		all = append(all, page.Members...)
	})
	return all
}
