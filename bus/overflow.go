//go:build !mutate_overflow

package bus

// overflow tells when an inbox that was full, and may have dropped events, is so
// no more. nats.go tells of the first drop of a subscription alone: those after
// it would be missed until the next regular check.
type overflow struct{ full bool }

// over takes in how many events wait after one was taken out, and reports the
// end of an overflow.
func (o *overflow) over(waiting int) bool {
	if waiting >= inboxSize-1 {
		o.full = true
		return false
	}
	if !o.full || waiting > inboxSize/2 {
		return false
	}
	o.full = false
	return true
}
