//go:build mutate_check_streams

package check

func checkStreams(*Run, *report) {}
