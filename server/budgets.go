package server

import (
	"net/http"
	"time"
)

// What costs the node more than most has a budget of its own.
const (
	resumesPerMinute  = 120
	resumeBurst       = 120 // a room full of devices that comes back at once
	searchesPerSecond = 10
	searchBurst       = 30
)

// budgets are what one user may ask of this node, over REST and all connections.
// What draws from the limit of sends draws from nothing here.
type budgets struct {
	requests *limiter
	resumes  *limiter
	searches *limiter
}

// newBudgets has no limits at all when there are no requests per second.
func newBudgets(q Quotas) budgets {
	if q.RequestsPerSecond == 0 {
		return budgets{}
	}
	return budgets{
		requests: newLimiter(q.RequestsPerSecond, time.Second, q.RequestBurst),
		resumes:  newLimiter(resumesPerMinute, time.Minute, resumeBurst),
		searches: newLimiter(searchesPerSecond, time.Second, searchBurst),
	}
}

// of gives the budget of a route; nil is no limit.
func (b budgets) of(method, path string) *limiter {
	switch method + " " + path {
	case http.MethodGet + " " + v1 + "/search":
		return b.searches
	case http.MethodGet + " " + v1 + "/events":
		return b.resumes
	case http.MethodPost + " " + v1 + "/chats/{id}/messages", http.MethodPatch + " " + v1 + "/messages/{id}",
		http.MethodPut + " " + v1 + "/messages/{id}/reactions/{emoji}", http.MethodDelete + " " + v1 + "/messages/{id}/reactions/{emoji}":
		return nil
	}
	return b.requests
}

// ofOp gives the budget of a command.
func (b budgets) ofOp(op string) *limiter {
	switch {
	case op == "resume":
		return b.resumes
	case drawsFromSends(op):
		return nil
	}
	return b.requests
}
