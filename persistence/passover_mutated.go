//go:build mutate_pass_over

package persistence

func (d dialect) passOver() string { return d.lock }
