package server

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fechatter/chat"
)

// slowSearch takes a second and notes how many it has at once.
type slowSearch struct{ now, most chan int }

func (s slowSearch) Find(context.Context, string, chat.SearchRequest) (chat.SearchResult, error) {
	n := <-s.now + 1
	most := max(<-s.most, n)
	s.now <- n
	s.most <- most
	time.Sleep(time.Second)
	s.now <- <-s.now - 1
	return chat.SearchResult{Total: 1}, nil
}

// A user who asks for fifty searches at once keeps another waiting for no more than their
// share, and never are more under way than there may be.
func TestSearchesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := slowSearch{make(chan int, 1), make(chan int, 1)}
		slow.now <- 0
		slow.most <- 0
		s := &Server{search: slow, searches: newTurns(3, maxUserSearches)}
		refused := make(chan bool, 50)
		for range cap(refused) {
			go func() {
				_, err := s.find(t.Context(), "eve", chat.SearchRequest{})
				refused <- chat.CodeOf(err) == chat.Overloaded
			}()
		}
		synctest.Wait()
		began := time.Now()
		found, err := s.find(t.Context(), "ann", chat.SearchRequest{})
		if waited := time.Since(began); err != nil || found.Total != 1 || waited != time.Second {
			t.Errorf("ann found %d after %v: %v", found.Total, waited, err)
		}
		late := 0
		for range cap(refused) {
			if <-refused {
				late++
			}
		}
		if most := <-slow.most; most != 3 {
			t.Errorf("%d searches were under way at once", most)
		}
		if late < 30 || late > 45 {
			t.Error(fmt.Sprint(late, " of eve's searches were refused after 5 s of two a second"))
		}
		if len(s.searches.users) > 0 {
			t.Error("turns are remembered")
		}
	})
}
