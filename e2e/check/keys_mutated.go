//go:build mutate_check_keys

package check

func checkKeys(*Run, *report) {}
