//go:build !mutate_clock

package persistence

import "fechatter/chat"

// later keeps the time of a stream from running backwards with the clock.
func later(now, last chat.Time) chat.Time { return max(now, last) }
