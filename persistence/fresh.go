//go:build !mutate_fresh

package persistence

import "context"

// dropped says whether an error is about a connection that the server has ended,
// and not about the database: a fresh one may work.
func (s *Store) dropped(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() == nil && s.d.dropped(err)
}
