//go:build !mutate_fence

package hub

// endsFor reports whether an event ends the membership that began at added: nothing after it may reach the user.
func (e Event) endsFor(user string, added int64) bool {
	return e.Kind.Has(Removed) && e.Subject == user && e.Seq > added
}
