package app

import (
	"errors"
	"fmt"
	"syscall"

	"fechatter/server"
)

// diskSpace is what an unprivileged process may still write, in bytes.
type diskSpace struct{ free, total uint64 }

// errDiskLow warns before writes fail; when they do, the canary says so.
var errDiskLow = errors.New("disk nearly full")

// low is less than a twentieth and less than 2 GiB.
func (d diskSpace) low() bool { return d.free < d.total/20 && d.free < 2<<30 }

// spaceOf returns a look at the file system of dir.
func spaceOf(dir string) func() (diskSpace, error) {
	return func() (diskSpace, error) {
		var s syscall.Statfs_t
		if err := syscall.Statfs(dir, &s); err != nil {
			return diskSpace{}, fmt.Errorf("look at disk: %w", err)
		}
		size := uint64(s.Bsize)
		return diskSpace{free: s.Bavail * size, total: s.Blocks * size}, nil
	}
}

func (h *health) lookAtDisk() {
	if h.disk == nil {
		return
	}
	space, err := h.disk()
	if err == nil && space.low() {
		err = errDiskLow
	}
	h.note(server.HealthPart{Name: "disk", Metric: "free", Type: "system", Value: space.free, Unit: "byte"}, false, err)
}
