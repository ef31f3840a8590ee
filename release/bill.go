package main

import (
	"context"
	"path/filepath"
)

// programBill writes what a built program is made of, read from the program itself.
func (o options) programBill(ctx context.Context, program, name string) error {
	return command(ctx, filepath.Join(o.root, "tools", "release"), []string{"GOFLAGS="}, "go", "tool", "cyclonedx-gomod", "bin",
		"-json", "-std", "-noserial", "-notimestamp", "-version", o.version, "-output", filepath.Join(o.out, name+".cdx.json"), program)
}

// pageBill writes what the page is made of, read from its lock file.
func (o options) pageBill(ctx context.Context) error {
	tool := filepath.Join(o.root, "tools", "npm", "node_modules", "@cyclonedx", "cyclonedx-npm", "bin", "cyclonedx-npm-cli.js")
	return command(ctx, filepath.Join(o.root, "web"), nil, "node", tool, "--package-lock-only", "--omit", "dev",
		"--output-reproducible", "--no-validate", "--output-format", "JSON", "--output-file", filepath.Join(o.out, "fechatter-page.cdx.json"))
}
