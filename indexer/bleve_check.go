package indexer

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/blevesearch/bleve/v2/util"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	rootFile = "root.bolt"
	// boltTimeout bounds the wait for the lock of rootFile. Only this process uses
	// the file, but a child that it starts holds the lock until it executes.
	boltTimeout = 10 * time.Second
)

// errDamaged is what an index is replaced for, and nothing else: an error of the machine
// (no descriptor left, no space, no permission, an unreadable disk) says nothing about
// what is stored, and passes.
var errDamaged = errors.New("the index is damaged")

// damage marks an error of checking files as evidence of damage, unless the machine
// failed. What is not there, or is something else than a file, is damaged.
func damage(err error) error {
	number, machine := errors.AsType[syscall.Errno](err)
	if machine && number != syscall.ENOENT && number != syscall.ENOTDIR && number != syscall.EISDIR {
		return fmt.Errorf("check index: %w", err)
	}
	return fmt.Errorf("check index: %w: %w", errDamaged, err)
}

// damagedRoot is damage for opening the list of states: what bbolt says of the file.
func damagedRoot(err error) error {
	for _, evidence := range []error{bolterrors.ErrInvalid, bolterrors.ErrVersionMismatch, bolterrors.ErrChecksum} {
		if errors.Is(err, evidence) {
			return damage(err)
		}
	}
	return fmt.Errorf("check index: %w", err)
}

// checkFiles verifies the checksums of all files that the last state of an index
// consists of, and returns their names.
func checkFiles(path string) (segments []string, err error) {
	if err := checkRoot(filepath.Join(path, rootFile)); err != nil {
		return nil, damage(err)
	}
	root, err := bbolt.Open(filepath.Join(path, rootFile), 0o600, &bbolt.Options{ReadOnly: true, Timeout: boltTimeout})
	if err != nil {
		return nil, damagedRoot(err)
	}
	defer root.Close()
	err = root.View(func(tx *bbolt.Tx) error {
		states := tx.Bucket(util.BoltSnapshotsBucket)
		if states == nil {
			return nil // nothing has ever been written
		}
		last, _ := states.Cursor().Last()
		state := states.Bucket(last)
		if state == nil {
			return damage(errors.New("it has no state"))
		}
		return state.ForEachBucket(func(key []byte) error {
			if name := state.Bucket(key).Get(util.BoltPathKey); name != nil {
				segments = append(segments, filepath.Base(string(name)))
				return checkSum(filepath.Join(path, filepath.Base(string(name))))
			}
			return nil
		})
	})
	return segments, err
}

// checkRoot reads the list of states to its end. It is mapped later, where what the
// disk cannot read would look like a list that was cut.
func checkRoot(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	n, err := io.Copy(io.Discard, file)
	if err == nil && n == 0 {
		return errors.New("the list of states is empty")
	}
	return err
}

// checkSum compares a file with its last four bytes, the CRC-32 of the rest.
func checkSum(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return damage(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return damage(err)
	}
	sum := crc32.NewIEEE()
	var want [4]byte
	if _, err := io.CopyN(sum, file, info.Size()-int64(len(want))); err != nil {
		return damage(err)
	}
	if _, err := io.ReadFull(file, want[:]); err != nil {
		return damage(err)
	}
	if string(sum.Sum(nil)) != string(want[:]) {
		return damage(fmt.Errorf("%s has changed since it was written", info.Name()))
	}
	return nil
}
