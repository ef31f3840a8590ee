//go:build !mutate_settle

package persistence

// storedBefore says whether a known key is that of an attempt before, of which it
// was not known whether it was committed: then nobody else has published it.
func storedBefore(p *pending, k known) bool { return k.id == p.send.MessageID && p.event != nil }
