//go:build mutate_check_order

package check

func checkOrder(*Run, *report) {}
