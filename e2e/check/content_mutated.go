//go:build mutate_check_content

package check

func checkContent(*Run, *report) {}
