//go:build mutate_check_resets

package check

func checkResets(*Run, *report) {}
