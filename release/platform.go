package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// platform builds the program for GOOS/GOARCH, and makes its archive and its bill.
func (o options) platform(ctx context.Context, platform string) error {
	system, processor, ok := strings.Cut(platform, "/")
	if !ok {
		return fmt.Errorf("want GOOS/GOARCH")
	}
	name := fmt.Sprintf("fechatter-%s-%s-%s", strings.TrimPrefix(o.version, "v"), system, processor)
	work, err := os.MkdirTemp("", "release")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	program := filepath.Join(work, "fechatter")
	if err := o.build(ctx, system, processor, program); err != nil {
		return err
	}
	if err := o.programBill(ctx, program, name); err != nil {
		return err
	}
	files := []packed{
		{from: program, name: name + "/" + filepath.Base(program), mode: 0o755},
		{from: filepath.Join(o.root, "LICENSE"), name: name + "/LICENSE", mode: 0o644},
		{from: filepath.Join(o.root, "README.md"), name: name + "/README.md", mode: 0o644},
		{from: filepath.Join(o.root, "CHANGELOG.md"), name: name + "/CHANGELOG.md", mode: 0o644},
		{from: filepath.Join(o.root, "chat.yml"), name: name + "/chat.yml.example", mode: 0o644},
		{from: filepath.Join(o.root, "docs", "operations.md"), name: name + "/docs/operations.md", mode: 0o644},
	}
	if system == "linux" {
		files = append(files, packed{from: filepath.Join(o.root, "deploy", "systemd", "fechatter.service"), name: name + "/fechatter.service", mode: 0o644})
	}
	return pack(filepath.Join(o.out, name+".tar.gz"), files)
}

// build compiles without anything that differs between two machines: paths, the state
// of git, the build's own id, and a C compiler.
func (o options) build(ctx context.Context, system, processor, program string) error {
	env := []string{"CGO_ENABLED=0", "GOOS=" + system, "GOARCH=" + processor, "GOFLAGS="}
	return command(ctx, o.root, env, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X main.version="+o.version, "-o", program, ".")
}
