// Command fechatter is a chat server in one binary: the page, the API, the
// WebSocket, and, unless told to use others, its own database and bus.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"fechatter/app"
)

// version is set by the linker (see the Makefile).
var version = "dev"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "fechatter:", err)
		os.Exit(1)
	}
}

func run() error {
	in, err := app.LoadConfig(os.Args[1:], os.Stdout)
	if err != nil {
		return err
	}
	switch in.Command {
	case app.ShowConfig:
		fmt.Print(in.Config)
		return nil
	case app.ShowVersion:
		fmt.Println("fechatter", version)
		return nil
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	// The first signal asks the node to leave in order. From then on the next
	// one has its usual effect: it kills.
	context.AfterFunc(ctx, cancel)
	switch in.Command {
	case app.CheckConform:
		return app.CheckProtocol(ctx, in.Conform, os.Stdout)
	case app.MigrateData:
		return app.MoveData(ctx, in.Migrate, os.Stdout, os.Stderr)
	case app.RunAdmin:
		return app.Administer(ctx, in.Config, in.Admin, os.Stdout, os.Stderr)
	case app.RebuildSearch:
		return app.RebuildIndex(ctx, in.Config, in.Reindex, os.Stdout, os.Stderr)
	case app.CopyDatabase:
		return app.BackUp(ctx, in.Config, in.Backup, os.Stdout)
	case app.AskHealth:
		return app.CheckHealth(ctx, in.Config, os.Stdout)
	case app.MarkRestored:
		return app.RenewEpoch(ctx, in.Config, os.Stdout, os.Stderr)
	}
	return app.Run(ctx, in.Config, version, os.Stdout, os.Stderr)
}
