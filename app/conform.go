package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"fechatter/conform"
)

// Conform is what the subcommand conform is told.
type Conform struct {
	URL   string `arg:"" name:"url" help:"Address of a node, such as https://chat.example.org."`
	Other string `arg:"" name:"url2" optional:"" help:"Address of another node of the same deployment, for the checks between nodes."`
	Run   string `name:"run" env:"-" help:"Make only the checks whose section and name match this regular expression."`
	JUnit string `name:"junit" env:"-" type:"path" help:"Write the results as JUnit XML to this file, too."`
}

// CheckProtocol asks a running server whether it keeps the protocol. Every check
// and a summary go to out. The error says that a check failed or that nothing
// could be checked.
func CheckProtocol(ctx context.Context, c Conform, out io.Writer) error {
	config := conform.Config{URL: c.URL, Other: c.Other}
	if c.Run != "" {
		only, err := regexp.Compile(c.Run)
		if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		config.Only = only
	}
	report, err := conform.Run(ctx, config, out)
	if len(report.Results) == 0 {
		return err
	}
	if _, err := io.WriteString(out, report.String()); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	if c.JUnit != "" {
		if err := writeJUnit(c.JUnit, report); err != nil {
			return err
		}
	}
	if failed := report.Count(conform.Fail); failed > 0 {
		return fmt.Errorf("%d checks failed", failed)
	}
	return err
}

func writeJUnit(name string, report conform.Report) error {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	return errors.Join(report.WriteJUnit(f), f.Close())
}
