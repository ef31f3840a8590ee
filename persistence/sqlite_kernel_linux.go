package persistence

import (
	"bytes"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// forgetBlocks makes the kernel drop what it keeps in memory of a file, and with that
// what it believes to have written. What the disk does not take now stays in memory.
func forgetBlocks(f *os.File) {
	_ = f.Sync() // its errors have been reported, or will be when the file is written again
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// sameOnDisk reports whether the disk certainly holds a file as the kernel has it in memory.
func sameOnDisk(path string) bool {
	memory, err := os.Open(path)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	defer memory.Close()
	disk, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECT, 0)
	if err != nil {
		return false
	}
	defer disk.Close()
	// Reading past memory demands a buffer at the beginning of a page.
	const size = 1 << 20
	buffer, err := unix.Mmap(-1, 0, 2*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Munmap(buffer) }()
	for at := int64(0); ; at += size {
		n, err := disk.ReadAt(buffer[:size], at)
		m, alsoErr := memory.ReadAt(buffer[size:], at)
		if n != m || !bytes.Equal(buffer[:n], buffer[size:size+m]) {
			return false
		}
		if err != nil || alsoErr != nil {
			return errors.Is(err, io.EOF) && errors.Is(alsoErr, io.EOF)
		}
	}
}
