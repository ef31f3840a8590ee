//go:build mutate_overflow

package bus

// overflow is broken on purpose: what was dropped after the first is not looked for.
type overflow struct{}

func (o *overflow) over(int) bool { return false }
