package indexer

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/blevesearch/bleve/v2/util"
	"go.etcd.io/bbolt"
)

const rootFile = "root.bolt"

// checkFiles reads all that the last state of an index is made of, and compares it
// with its sums.
func checkFiles(path string) error {
	if _, err := os.Stat(filepath.Join(path, rootFile)); err != nil {
		return fmt.Errorf("check index: %w", err)
	}
	root, err := bbolt.Open(filepath.Join(path, rootFile), 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return fmt.Errorf("check index: %w", err)
	}
	defer root.Close()
	return root.View(func(tx *bbolt.Tx) error {
		states := tx.Bucket(util.BoltSnapshotsBucket)
		if states == nil {
			return nil // nothing was ever written
		}
		last, _ := states.Cursor().Last()
		state := states.Bucket(last)
		if state == nil {
			return errors.New("check index: there is no state of it")
		}
		return state.ForEachBucket(func(key []byte) error {
			if name := state.Bucket(key).Get(util.BoltPathKey); name != nil {
				return checkSum(filepath.Join(path, filepath.Base(string(name))))
			}
			return nil
		})
	})
}

// checkSum compares a file with its last four bytes, the CRC-32 of those before.
func checkSum(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("check index: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("check index: %w", err)
	}
	sum := crc32.NewIEEE()
	var want [4]byte
	if _, err := io.CopyN(sum, file, info.Size()-int64(len(want))); err != nil {
		return fmt.Errorf("check index: %w", err)
	}
	if _, err := io.ReadFull(file, want[:]); err != nil {
		return fmt.Errorf("check index: %w", err)
	}
	if string(sum.Sum(nil)) != string(want[:]) {
		return fmt.Errorf("check index: %s is not as it was written", info.Name())
	}
	return nil
}
