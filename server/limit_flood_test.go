package server

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
	"fechatter/hub"
)

// From where floods came nobody connects who does not say who they are, until it is over.
func TestStrangersFromFloods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := lonely(t, nil)
		s := c.server
		flood := hub.CloseError{Code: closeRateLimited, Reason: "too many frames"}
		for range floodsPerAddress {
			s.rates.floods.note("", source{"192.0.2.1", "192.0.2.0/24"}, flood)
			s.rates.floods.note("", source{}, flood) // by way of a socket without addresses
			s.rates.floods.note("", source{"192.0.2.1", "192.0.2.0/24"}, errors.New("gone"))
		}
		if code := knock(s, "192.0.2.1", "", ""); code != admitted {
			t.Errorf("after as many as may be: %d", code)
		}
		s.rates.floods.note("", source{"192.0.2.1", "192.0.2.0/24"}, flood)
		s.rates.floods.note("", source{}, flood)
		for from, want := range map[string]int{"192.0.2.1": http.StatusTooManyRequests, "192.0.2.2": admitted, "@": admitted} {
			if code := knock(s, from, "", ""); code != want {
				t.Errorf("from %s: %d, want %d", from, code, want)
			}
		}
		if code := knock(s, "192.0.2.1", "", "Bearer "+wellFormedToken); code != admitted {
			t.Errorf("with a credential: %d", code)
		}
		if n := s.LimitStats().Refused[limitFloods]; n != 1 {
			t.Errorf("%d refusals are counted", n)
		}
		time.Sleep(time.Minute)
		if code := knock(s, "192.0.2.1", "", ""); code != admitted {
			t.Errorf("a minute later: %d", code)
		}
	})
}

// Floods count for the user whose connections they were, and for nobody else.
func TestFloodsCountForTheirUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := lonely(t, nil)
		c.session = chat.Session{UserID: "eve"}
		floods := c.server.rates.floods
		for range floodsPerUser + 1 {
			c.Closed(hub.CloseError{Code: closeRateLimited})
			(&connection{server: c.server, session: chat.Session{UserID: "ann"}}).Closed(hub.CloseError{Code: closeRestart})
		}
		if floods.users.owed("eve") == nil || floods.users.owed("ann") != nil {
			t.Error("who may not connect is somebody else")
		}
		time.Sleep(time.Minute)
		if err := floods.users.owed("eve"); err != nil {
			t.Errorf("a minute later: %v", err)
		}
	})
}
