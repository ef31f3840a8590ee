package chat

import "context"

// Usage is how many bytes a user has stored on a day, on all nodes.
type Usage struct {
	UserID string
	Day    int64 // of the database's clock: see Time.Day
	Bytes  int64
}

// UsageStore keeps what users have stored on the current day.
type UsageStore interface {
	// Usage returns what the user has stored on the database's current day, and its
	// clock.
	Usage(ctx context.Context, userID string) (u Usage, now Time, err error)
	// AddUsage adds to what users have stored on a day, each named once, and returns
	// what they have stored on their latest day. Additions to an earlier day are dropped.
	AddUsage(ctx context.Context, added []Usage) ([]Usage, error)
}

// Usage returns what a user has stored today, and the database's clock.
func (s *Service) Usage(ctx context.Context, userID string) (Usage, Time, error) {
	return s.store.Usage(ctx, userID)
}

// AddUsage writes down what users have stored and returns what they have in all.
func (s *Service) AddUsage(ctx context.Context, added []Usage) ([]Usage, error) {
	return s.store.AddUsage(ctx, added)
}
