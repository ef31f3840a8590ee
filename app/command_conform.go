package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"fechatter/conform"
)

// Conform is the arguments of the conform command.
type Conform struct {
	URL        string `arg:"" name:"url" help:"Address of a node, such as https://chat.example.org."`
	Other      string `arg:"" name:"url2" optional:"" help:"Address of another node of the same deployment, for the checks between nodes."`
	Origin     string `name:"origin" env:"-" help:"How browsers reach the deployment (its public_url), if not by the address above."`
	CA         string `name:"ca" env:"-" type:"path" help:"File of the authorities (PEM) that verify the server's certificate, instead of the system's."`
	Invitation string `name:"invitation" env:"-" help:"Code of an invitation for some ten users, where registration is not open."`
	SetupCode  string `name:"setup-code" env:"-" help:"Setup code of a deployment that has no users yet."`
	Run        string `name:"run" env:"-" help:"Run only the checks whose section and name match this regular expression."`
	JUnit      string `name:"junit" env:"-" type:"path" help:"Also write the results to this file, as JUnit XML."`
}

// CheckProtocol checks whether a running server keeps the protocol. It prints every
// check and a summary on out. The error reports that a check failed or that nothing
// could be checked.
func CheckProtocol(ctx context.Context, c Conform, out io.Writer) error {
	roots, err := authorities(c.CA)
	if err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	config := conform.Config{URL: c.URL, Other: c.Other, Origin: c.Origin, Roots: roots,
		Invitation: lastPart(c.Invitation), SetupCode: lastPart(c.SetupCode)}
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

// lastPart returns the code of a link, or what is not one as it is.
func lastPart(link string) string { return link[strings.LastIndexByte(link, '=')+1:] }

func writeJUnit(name string, report conform.Report) error {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	return errors.Join(report.WriteJUnit(f), f.Close())
}
