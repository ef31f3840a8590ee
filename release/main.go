// Command release makes what is published of a version: for each platform an archive
// with the program and a bill of its materials, one more bill for the page, the checksums
// of all of them, and, with a key, a signature of the checksums. The same sources, Go and
// Node make the same bytes, wherever and whenever they are built.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
)

// options are what the command line says.
type options struct {
	root      string // the sources, with the page built
	version   string
	out       string // the folder that is made
	platforms []string
	key       string // of SSH; "": nothing is signed
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	return o.release(ctx)
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.StringVar(&o.root, "root", ".", "folder of the sources")
	flags.StringVar(&o.version, "version", "", "version, such as v1.2.3")
	flags.StringVar(&o.out, "out", "", "folder to make; bin/release/VERSION by default")
	flags.StringVar(&o.key, "key", "", "file of an SSH private key that signs the checksums, or of its public half if an agent has it")
	platforms := flags.String("platforms", "linux/amd64,linux/arm64,darwin/arm64", "what to build for")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if !regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._+-]*$`).MatchString(o.version) {
		return o, fmt.Errorf("-version %q is not a version such as v1.2.3", o.version)
	}
	o.platforms = strings.Split(*platforms, ",")
	if o.out == "" {
		o.out = filepath.Join(o.root, "bin", "release", o.version)
	}
	var err error
	o.root, err = filepath.Abs(o.root)
	if err == nil {
		o.out, err = filepath.Abs(o.out)
	}
	return o, err
}

// release makes the folder anew.
func (o options) release(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(o.root, "web", "dist", "index.html")); err != nil {
		return errors.New("the page is not built; run make page")
	}
	if err := os.RemoveAll(o.out); err != nil {
		return fmt.Errorf("clear %s: %w", o.out, err)
	}
	if err := os.MkdirAll(o.out, 0o750); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	for _, p := range o.platforms {
		if err := o.platform(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	if err := o.pageBill(ctx); err != nil {
		return err
	}
	if err := o.sums(); err != nil {
		return err
	}
	return o.sign(ctx)
}

// command runs a program in a folder, with more environment, and shows what it says.
func command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
