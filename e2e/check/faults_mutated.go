//go:build mutate_check_faults

package check

func checkFaults(*Run, *report) {}
