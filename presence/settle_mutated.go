//go:build mutate_settled

package presence

import "time"

const settleTime time.Duration = 0
