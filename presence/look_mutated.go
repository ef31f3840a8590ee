//go:build mutate_look

package presence

import "context"

func look(ctx context.Context, readings func(context.Context), facts func(context.Context) error) error {
	if err := facts(ctx); err != nil {
		return err
	}
	readings(ctx)
	return nil
}
