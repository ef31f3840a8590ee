package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"fechatter/persistence/postgrestest"
)

// The people of growth: a team with as many chats as the resume that is measured covers.
const (
	growthUsers = 20
	growthChats = 50
	// flat is how much dearer an operation may be on a large database than on the smallest, if its
	// own size is the same.
	flat = 1.3
)

// growthOptions are the flags of growth.
type growthOptions struct {
	sizes     string
	databases string
}

func (o *growthOptions) flags(f *flag.FlagSet) {
	f.StringVar(&o.sizes, "sizes", "10000,1000000", "messages that growth stores before it measures, ascending")
	f.StringVar(&o.databases, "databases", "sqlite,postgres", "the databases that growth measures")
}

// growthRun is one database with so many messages. Times are milliseconds, as a client sees them.
type growthRun struct {
	Run      string  `json:"run"`
	Database string  `json:"database"`
	Messages int     `json:"messages"`
	Fill     float64 `json:"fill_per_second"` // through the store, 2,048 a transaction
	Index    float64 `json:"index_s"`         // from the start until all that was filled is found
	Ready    float64 `json:"ready_ms"`        // from the start of the process
	RSS      float64 `json:"rss_mb"`          // after idleRest
	Disk     float64 `json:"database_mb"`
	IndexMB  float64 `json:"index_mb"`

	Send    summary `json:"send_ms"` // one after the other
	Page    summary `json:"page_ms"`
	Around  summary `json:"around_ms"`  // a page far back
	Resume  summary `json:"resume_ms"`  // 50 chats, ten messages behind in each: from the dial to ready
	Unread  summary `json:"unread_ms"`  // of 50 chats
	Rare    summary `json:"rare_ms"`    // a search for a word of one message
	Common  summary `json:"common_ms"`  // for words that many have
	Busy    summary `json:"busy_ms"`    // acks of 64 senders who never pause
	PerSec  float64 `json:"busy_per_s"` // what these send
	Stall   float64 `json:"stall_ms"`   // the longest time without any ack meanwhile
	Unready int     `json:"unready"`    // looks at readiness meanwhile, of ten a second, that found none
	Backup  float64 `json:"backup_s"`   // of PostgreSQL, by pg_dump
	Reindex float64 `json:"reindex_s"`
}

// growth measures what a database of more and more messages costs, and prints a table for each.
// The lines of the runs go to standard error.
func growth(ctx context.Context, o options) (any, error) {
	sizes, err := numbers(o.sizes)
	if err != nil {
		return nil, err
	}
	for database := range strings.SplitSeq(o.databases, ",") {
		runs, err := growOn(ctx, o, database, sizes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", database, err)
		}
		printGrowth(os.Stdout, runs)
	}
	return nil, nil
}

func numbers(list string) (sizes []int, err error) {
	for one := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(one)
		if err != nil || n < growthChats*20 {
			return nil, fmt.Errorf("%q is not a number of at least %d", one, growthChats*20)
		}
		sizes = append(sizes, n)
	}
	if !slices.IsSorted(sizes) {
		return nil, fmt.Errorf("%s does not ascend", list)
	}
	return sizes, nil
}

// growing is one database and the node on it.
type growing struct {
	server   *server
	url      string // of the database, for the store
	disk     string // the folder or the file that holds it
	postgres *postgrestest.Server
	users    []*user
	search   *searchRun
	filled   int
	cursors  map[string]int64 // of a resume
}

func growOn(ctx context.Context, o options, database string, sizes []int) (runs []growthRun, err error) {
	g, err := startGrowing(ctx, o, database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.stop()) }()
	for _, size := range sizes {
		run := growthRun{Run: "growth", Database: database, Messages: size}
		for _, step := range []func(context.Context, options, *growthRun) error{g.grow, g.weigh, g.lag, g.operations, g.busy, g.copies} {
			if err := step(ctx, o, &run); err != nil {
				return nil, err
			}
		}
		runs = append(runs, run)
		if err := json.NewEncoder(os.Stderr).Encode(run); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

func startGrowing(ctx context.Context, o options, database string) (_ *growing, err error) {
	g := &growing{}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.stop())
		}
	}()
	const file = "data/growth.db"
	setting := "sqlite:" + file
	if database == "postgres" {
		if g.postgres, err = postgrestest.StartOnDisk(ctx); err != nil {
			return nil, err
		}
		if setting, err = g.postgres.Database(ctx); err != nil {
			return nil, err
		}
	} else if database != "sqlite" {
		return nil, errors.New("growth knows sqlite and postgres")
	}
	if g.server, err = startServer(ctx, o.program, "FECHATTER_DATABASE="+setting, "FECHATTER_LIMITS_SEND_BURST=0"); err != nil {
		return nil, err
	}
	g.url, g.disk = setting, filepath.Join(postgresFolder(setting), "data", "base")
	if g.postgres == nil {
		g.url, g.disk = "sqlite:"+filepath.Join(g.server.dir, file), filepath.Join(g.server.dir, file)
	}
	o.users, o.members, o.chats = growthUsers, growthUsers, growthChats
	if g.users, err = setUp(ctx, g.server.url, o); err != nil {
		return nil, err
	}
	g.search = &searchRun{users: g.users, vocabulary: vocabulary()}
	return g, nil
}

// postgresFolder is where a private PostgreSQL is, by the URL of a database of it.
func postgresFolder(url string) string {
	_, folder, _ := strings.Cut(url, "host=")
	return strings.ReplaceAll(folder, "%2F", "/")
}

func (g *growing) stop() (err error) {
	if g.server != nil {
		err = g.server.stop()
	}
	if g.postgres != nil {
		err = errors.Join(err, g.postgres.Stop())
	}
	return err
}

// growthFigure is a line of the table. Of a grown figure its own size grows with the database.
type growthFigure struct {
	title  string
	of     func(growthRun) float64
	format string
	grown  bool
}

func growthFigures() []growthFigure {
	return []growthFigure{
		{"send, p50 ms", func(r growthRun) float64 { return r.Send.P50 }, "%.1f", false},
		{"send, p99 ms", func(r growthRun) float64 { return r.Send.P99 }, "%.1f", false},
		{"64 senders, acks p50 ms", func(r growthRun) float64 { return r.Busy.P50 }, "%.1f", false},
		{"64 senders, acks p99 ms", func(r growthRun) float64 { return r.Busy.P99 }, "%.1f", false},
		{"64 senders, ms per message", func(r growthRun) float64 { return 1000 / r.PerSec }, "%.3f", false},
		{"64 senders, longest time without an ack, ms", func(r growthRun) float64 { return r.Stall }, "%.0f", false},
		{"looks at readiness that failed meanwhile", func(r growthRun) float64 { return float64(r.Unready) }, "%.0f", true},
		{"history page, p50 ms", func(r growthRun) float64 { return r.Page.P50 }, "%.1f", false},
		{"page far back, p50 ms", func(r growthRun) float64 { return r.Around.P50 }, "%.1f", false},
		{"resume of 50 chats, p50 ms", func(r growthRun) float64 { return r.Resume.P50 }, "%.1f", false},
		{"50 chats with unread counts, p50 ms", func(r growthRun) float64 { return r.Unread.P50 }, "%.1f", false},
		{"search for a rare word, p50 ms", func(r growthRun) float64 { return r.Rare.P50 }, "%.1f", false},
		{"search for frequent words, p50 ms", func(r growthRun) float64 { return r.Common.P50 }, "%.1f", true},
		{"start to ready, ms", func(r growthRun) float64 { return r.Ready }, "%.0f", false},
		{"resident memory, MB", func(r growthRun) float64 { return r.RSS }, "%.0f", false},
		{"database, MB", func(r growthRun) float64 { return r.Disk }, "%.0f", true},
		{"search index, MB", func(r growthRun) float64 { return r.IndexMB }, "%.0f", true},
		{"backup, s", func(r growthRun) float64 { return r.Backup }, "%.1f", true},
		{"reindex, s", func(r growthRun) float64 { return r.Reindex }, "%.1f", true},
		{"filled per second", func(r growthRun) float64 { return r.Fill }, "%.0f", true},
	}
}

// printGrowth prints what each figure is of its first, marked if it should be flat and is not.
func printGrowth(w io.Writer, runs []growthRun) {
	t := table{head: []string{runs[0].Database}}
	for _, r := range runs {
		t.head = append(t.head, fmt.Sprintf("%d messages", r.Messages))
	}
	for _, f := range growthFigures() {
		row := []string{f.title}
		first := f.of(runs[0])
		for i, r := range runs {
			text := fmt.Sprintf(f.format, f.of(r))
			if i > 0 && first > 0 {
				text += fmt.Sprintf(" (%.2f ×)", f.of(r)/first)
				if !f.grown && f.of(r) > flat*first {
					text += " !"
				}
			}
			row = append(row, text)
		}
		t.rows = append(t.rows, row)
	}
	t.print(w)
}
