//go:build mutate_fresh

package persistence

import "context"

func (s *Store) dropped(context.Context, error) bool { return false }
