//go:build mutate_jump

package presence

import "time"

const sweepGap = 1000 * time.Hour
