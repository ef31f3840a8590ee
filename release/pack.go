package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// packed is one file of an archive.
type packed struct {
	from, name string
	mode       fs.FileMode
}

// always is the time of every file of an archive, since the true ones differ from build
// to build.
func always() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }

// pack makes an archive of files, in their order.
func pack(archive string, files []packed) error {
	to, err := os.OpenFile(archive, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // everybody may read what is published
	if err != nil {
		return fmt.Errorf("make archive: %w", err)
	}
	if err := errors.Join(writeTar(to, files), to.Close()); err != nil {
		return fmt.Errorf("write %s: %w", archive, err)
	}
	return nil
}

func writeTar(to io.Writer, files []packed) error {
	packing, err := gzip.NewWriterLevel(to, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(packing)
	for _, f := range files {
		data, err := os.ReadFile(f.from)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: f.name, Mode: int64(f.mode), Size: int64(len(data)), ModTime: always(), Format: tar.FormatUSTAR}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(), packing.Close())
}
