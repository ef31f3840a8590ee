//go:build mutate_check_removed

package check

func checkRemoved(*Run, *report) {}
