package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// kernelMemory returns what the kernel of this machine holds for all its sockets and other objects
// that it cannot give back: SUnreclaim in /proc/meminfo, and the buffers of TCP in
// /proc/net/sockstat. Both count for the whole machine, so only differences on a quiet one say
// something.
func kernelMemory() (int64, error) {
	slabKB, err := figureIn("/proc/meminfo", "SUnreclaim:", 1)
	if err != nil {
		return 0, err
	}
	pages, err := figureIn("/proc/net/sockstat", "TCP:", 10)
	return slabKB<<10 + pages*int64(os.Getpagesize()), err
}

// figureIn returns the field with that index of the line that begins with the name.
func figureIn(file, name string, field int) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > field && fields[0] == name {
			return strconv.ParseInt(fields[field], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, name)
}
