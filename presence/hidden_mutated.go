//go:build mutate_hidden

package presence

import "fechatter/chat"

func hidden(chat.PresenceFacts) bool { return false }
