package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"fechatter/persistence"
)

// Migrate is the arguments of the migrate command.
type Migrate struct {
	From string `name:"from" required:"" env:"-" help:"The database to copy: sqlite:FILE or postgres://…"`
	To   string `name:"to" required:"" env:"-" help:"The empty database to copy it to: postgres://… or sqlite:FILE"`
}

// MoveData copies everything from one database to another, so that a deployment can
// continue there and its clients notice only the pause. Files are locked meanwhile.
// It prints progress on out.
func MoveData(ctx context.Context, m Migrate, out, errOut io.Writer) error {
	log := slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: slog.LevelWarn}))
	unlock, err := lockFiles(m)
	if err != nil {
		return err
	}
	defer unlock()
	shown := progress{out: out, last: time.Now()}
	err = persistence.Transfer(ctx, persistence.Config{URL: m.From}, persistence.Config{URL: m.To}, newID, log, shown.print)
	if errors.Is(err, persistence.ErrTransferred) {
		_, err = fmt.Fprintln(out, "The new database holds everything from the old one already, which has not been used since.")
	}
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	_, err = fmt.Fprintln(out, "Done. Start the nodes with the new database. The old one keeps its data under another epoch.")
	return err
}

// lockFiles locks the folders of file databases, so that no node uses them.
func lockFiles(m Migrate) (unlock func(), err error) {
	if err := databaseThere(m.From); err != nil {
		return nil, err
	}
	var held []*os.File
	unlock = func() {
		for _, f := range held {
			_ = f.Close() // nothing was written
		}
	}
	folders := map[string]bool{}
	for _, database := range []string{m.From, m.To} {
		if scheme(database) != "sqlite" {
			continue
		}
		file, err := filepath.Abs(sqliteFile(database))
		if err == nil && !folders[filepath.Dir(file)] {
			folders[filepath.Dir(file)] = true
			var f *os.File
			if f, err = lockFolder(filepath.Dir(file)); err == nil {
				held = append(held, f)
			}
		}
		if err != nil {
			unlock()
			return nil, err
		}
	}
	return unlock, nil
}

// progress prints once a second how far a table is, and when it is done.
type progress struct {
	out  io.Writer
	last time.Time
}

func (p *progress) print(t persistence.Transferred) {
	line := fmt.Sprintf("%-14s %9d of %d rows\n", t.Table, t.Rows, t.Of)
	if t.Verified {
		line = fmt.Sprintf("%-14s %9d rows, verified\n", t.Table, t.Rows)
	} else if time.Since(p.last) < time.Second {
		return
	}
	p.last = time.Now()
	_, _ = io.WriteString(p.out, line) // a reader that went away does not end the transfer
}
