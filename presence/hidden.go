//go:build !mutate_hidden

package presence

import "fechatter/chat"

// hidden says whether a person's leases and activity are nobody's business.
func hidden(f chat.PresenceFacts) bool { return f.Setting == chat.Invisible }
