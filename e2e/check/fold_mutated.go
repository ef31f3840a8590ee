//go:build mutate_check_fold

package check

func checkFold(*Run, *report) {}
