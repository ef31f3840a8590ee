package presence

import (
	"context"
	"log/slog"
	"sync"
)

// outage logs when something starts to fail and when it works again, but not
// each failure in between.
type outage struct {
	what string
	mu   sync.Mutex
	on   bool
}

// note records the result of a call. A call that ctx cut short proves nothing.
func (o *outage) note(ctx context.Context, log *slog.Logger, err error) {
	if ctx.Err() != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case err != nil && !o.on:
		log.WarnContext(ctx, o.what+" are unavailable", "error", err)
	case err == nil && o.on:
		log.InfoContext(ctx, o.what+" are available again")
	}
	o.on = err != nil
}
