//go:build !mutate_check_faults

package check

// checkFaults: no answer blames the server itself.
func checkFaults(run *Run, r *report) {
	for _, f := range run.Faults {
		r.add("%s", f)
	}
}
