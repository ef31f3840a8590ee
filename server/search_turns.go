package server

import (
	"context"
	"math/rand/v2"
	"runtime"
	"time"

	"fechatter/chat"
)

const (
	// maxUserSearches is how many searches of one user run at once.
	maxUserSearches = 2
	// searchPatience is how long a search may wait for its turn.
	searchPatience = 5 * time.Second
)

// maxSearches is how many searches run at once on a node. Each computes for milliseconds,
// and what computes gets a processor for 10 ms in the order of arrival: where more of them
// run than there are processors, a send waits for all of them at each of its steps.
func maxSearches() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// find searches when it is this user's turn. Errors: overloaded if that takes too long,
// else those of the Searcher.
func (s *Server) find(ctx context.Context, userID string, r chat.SearchRequest) (chat.SearchResult, error) {
	waiting, cancel := context.WithTimeout(ctx, searchPatience)
	defer cancel()
	leave, err := s.searches.enter(waiting, userID)
	if err != nil {
		e := chat.Errorf(chat.Overloaded, "too many searches are under way; try again later")
		e.RetryAfter = time.Second + rand.N(2*time.Second)
		return chat.SearchResult{}, e
	}
	defer leave()
	return s.search.Find(ctx, userID, r)
}
