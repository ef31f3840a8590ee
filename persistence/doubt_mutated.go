//go:build mutate_doubt

package persistence

import "context"

func (t *changeTx) stored(context.Context, *changeTx) (bool, error) { return false, nil }
