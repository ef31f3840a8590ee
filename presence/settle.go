//go:build !mutate_settled

package presence

import "time"

// settleTime is how long after leases were lost, or could not be renewed, the
// absence of one means nothing: until then every node has renewed all of its own.
const settleTime = 10 * time.Second
