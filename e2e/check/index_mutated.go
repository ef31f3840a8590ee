//go:build mutate_check_index

package check

func checkIndex(*Run, *report) {}
