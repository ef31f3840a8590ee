//go:build !mutate_look

package presence

import "context"

// look reads leases first and facts after them. Who became invisible in between
// is so in the facts already; the other way round, what they did since would be
// shown by the facts of before.
func look(ctx context.Context, readings func(context.Context), facts func(context.Context) error) error {
	readings(ctx)
	return facts(ctx)
}
