//go:build mutate_check_cursors

package check

func checkCursors(*Run, *report) {}
