//go:build !mutate_jump

package presence

import "time"

// sweepGap is how long nobody may sweep, or the clock of Redis jump, before the
// absence of a lease means nothing for a while.
const sweepGap = 10 * time.Second
