//go:build mutate_clock

package persistence

import "fechatter/chat"

func later(now, _ chat.Time) chat.Time { return now }
