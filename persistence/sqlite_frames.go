package persistence

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// SQLite's format of a log: https://sqlite.org/fileformat2.html#walformat
const (
	walHeader      = 32
	walFrameHeader = 24
	walSalt        = 16 // where it is in the header; in that of a frame it is at walFrameSalt
	walFrameSalt   = 8
	walSaltBytes   = 8
)

// copyFrames copies pages from the first frames of a log to where a checkpoint would have
// put them in the database.
func copyFrames(log string, database *os.File, frames int) error {
	f, err := os.Open(log)
	if err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	defer f.Close()
	var head [walHeader]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return fmt.Errorf("read log: %w", err)
	}
	size := int64(binary.BigEndian.Uint32(head[8:]))
	newest, pages, err := newestFrames(f, head[walSalt:walSalt+walSaltBytes], size, frames)
	if err != nil {
		return err
	}
	page := make([]byte, size)
	for number, frame := range newest {
		if number > pages {
			continue // the database has shrunk since
		}
		if _, err := f.ReadAt(page, walHeader+frame*(walFrameHeader+size)+walFrameHeader); err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		if _, err := database.WriteAt(page, int64(number-1)*size); err != nil {
			return fmt.Errorf("write database: %w", err)
		}
	}
	return nil
}

// newestFrames returns the last frame of each page, and how many pages the database has
// after the last transaction.
func newestFrames(log io.ReaderAt, salt []byte, size int64, frames int) (newest map[uint32]int64, pages uint32, err error) {
	newest = map[uint32]int64{}
	var head [walFrameHeader]byte
	for frame := range int64(frames) {
		if _, err := log.ReadAt(head[:], walHeader+frame*(walFrameHeader+size)); err != nil {
			return nil, 0, fmt.Errorf("read log: %w", err)
		}
		if !bytes.Equal(head[walFrameSalt:walFrameSalt+walSaltBytes], salt) {
			return nil, 0, fmt.Errorf("read log: frame %d is of another one", frame)
		}
		newest[binary.BigEndian.Uint32(head[:])] = frame
		if committed := binary.BigEndian.Uint32(head[4:]); committed > 0 {
			pages = committed
		}
	}
	return newest, pages, nil
}
