package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	sumsFile = "SHA256SUMS"
	// namespace keeps a signature made for something else from passing for one of a
	// release, and the other way around.
	namespace = "fechatter-release"
)

// sums writes the checksums of all files, as sha256sum -c reads them.
func (o options) sums() error {
	entries, err := os.ReadDir(o.out) // by name
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	var lines strings.Builder
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(o.out, e.Name()))
		if err != nil {
			return fmt.Errorf("sum: %w", err)
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(data), e.Name())
	}
	if err := os.WriteFile(filepath.Join(o.out, sumsFile), []byte(lines.String()), 0o644); err != nil { //nolint:gosec // everybody may read what is published
		return fmt.Errorf("write sums: %w", err)
	}
	return nil
}

// sign signs the checksums with an SSH key: whoever publishes has one, and whoever
// verifies has ssh-keygen.
func (o options) sign(ctx context.Context) error {
	if o.key == "" {
		return nil
	}
	return command(ctx, o.out, nil, "ssh-keygen", "-q", "-Y", "sign", "-f", o.key, "-n", namespace, sumsFile)
}
