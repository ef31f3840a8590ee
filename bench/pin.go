package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	serverCPU = 0
	clientCPU = 1
)

// pinSelf keeps this process on one processor, and says whether there are two, so
// that server and client can each have one.
func pinSelf() (bool, error) {
	if runtime.NumCPU() < 2 {
		return false, nil
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return false, err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return false, err
		}
		if err := unix.SchedSetaffinity(id, only(clientCPU)); err != nil {
			return false, fmt.Errorf("pin the client: %w", err)
		}
	}
	return true, nil
}

// onServerCPU calls start in a thread whose children run on the server's processor.
func onServerCPU(start func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := unix.SchedSetaffinity(0, only(serverCPU))
		if err == nil {
			err = start()
		}
		result <- err
	}()
	return <-result
}

func only(cpu int) *unix.CPUSet {
	var set unix.CPUSet
	set.Set(cpu)
	return &set
}
