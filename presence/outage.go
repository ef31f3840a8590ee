package presence

import (
	"context"
	"log/slog"
	"sync"
)

// outage logs when something begins to fail and when it works again, not each
// failure between.
type outage struct {
	what string
	mu   sync.Mutex
	on   bool
}

// note takes the result of a call. A call that the end of ctx broke off says
// nothing.
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
