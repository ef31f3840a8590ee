package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// pinSelf keeps this process on the processor after those of the server, or the last one, and
// reports whether the server does not use that.
func pinSelf(serverCores int) (bool, error) {
	own := min(serverCores, runtime.NumCPU()-1)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return false, err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return false, err
		}
		if err := unix.SchedSetaffinity(id, cpus(own, own+1)); err != nil {
			return false, fmt.Errorf("pin the client: %w", err)
		}
	}
	return own >= serverCores, nil
}

// onServerCPUs calls start in a thread whose children run on the server's processors.
func onServerCPUs(cores int, start func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := unix.SchedSetaffinity(0, cpus(0, cores))
		if err == nil {
			err = start()
		}
		result <- err
	}()
	return <-result
}

// cpus are the processors from first up to before end.
func cpus(first, end int) *unix.CPUSet {
	var set unix.CPUSet
	for cpu := first; cpu < end; cpu++ {
		set.Set(cpu)
	}
	return &set
}
