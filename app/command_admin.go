package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"fechatter/chat"
	"fechatter/persistence"
)

// Administration is the arguments of the admin command. Act names its subcommand.
type Administration struct {
	Act string `kong:"-"`

	List struct {
		Q string `arg:"" optional:"" help:"Part of a username or display name."`
	} `cmd:"" help:"List users, and which are administrators or suspended."`
	Suspend      named `cmd:"" help:"End a user's sessions and refuse new ones."`
	Restore      named `cmd:"" help:"Lift a suspension."`
	Grant        named `cmd:"" help:"Make a user an administrator."`
	Revoke       named `cmd:"" help:"Take administrator rights away from a user."`
	Sessions     named `cmd:"" help:"Revoke all sessions of a user."`
	ResetFactors named `cmd:"" help:"Take one-time codes and recovery codes from a user who has lost them; the password stays, the sessions end."`
	Chats        struct {
		Q string `arg:"" optional:"" help:"Part of a chat's name."`
	} `cmd:"" help:"List chats with their ids and retention."`
	Retention struct {
		Chat string `arg:"" help:"The id of the chat."`
		Days int    `arg:"" help:"How many days its messages are kept; 0 keeps them for ever."`
	} `cmd:"" help:"Set how many days a chat keeps its messages."`
	RotateBusKey struct{} `cmd:"" help:"Make a new key for what nodes tell each other; they change to it within a minute and lose nothing."`
	SetupCode    struct{} `cmd:"" help:"Make another link for the first administrator, while there is none."`
	Invite       struct {
		Uses int `default:"1" env:"-" help:"How many may join by it."`
		Days int `default:"7" env:"-" help:"For how many days."`
	} `cmd:"" help:"Make a link by which people can sign up."`
	ResetLink named    `cmd:"" help:"Make a link by which a user chooses a new password, to hand over."`
	Jobs      struct{} `cmd:"" help:"Show the work behind the scenes, and what of it failed for good."`
	RetryJob  namedJob `cmd:"" help:"Try a job again that failed for good."`
	DropJob   namedJob `cmd:"" help:"Give up a job that failed for good."`
	Audit     struct {
		Limit int `default:"50" env:"-" help:"How many entries to show."`
	} `cmd:"" help:"Show what administrators did, newest first."`
}

type named struct {
	Name string `arg:"" help:"The username."`
}

type namedJob struct {
	Kind string `arg:"" help:"Its kind, as in the list."`
	Key  string `arg:"" help:"Its key."`
}

const listPage = 200

// Administer carries out one subcommand on the database of c as the operator, and
// prints the result on out. Nodes may be running, also on SQLite: they notice within
// two seconds. It refuses a database with the schema of another release.
func Administer(ctx context.Context, c Config, a Administration, out, errOut io.Writer) (err error) {
	if err := databaseThere(c.Database); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(errOut, &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := persistence.Open(ctx, persistence.Config{URL: c.Database, SchemaAsIs: true}, unheard{}, newID, log)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	office := office{chat: chat.NewService(store, nil, newID, store.Secret(), chatLimits(c)).WithAdmission(admission(c)).WithSignIn(signInRules(c)), keys: store, page: page(c), out: out}
	return office.do(ctx, a)
}

// unheard is the publisher of a program without a hub: nodes find the events with
// their position checks.
type unheard struct{}

// Publish implements chat.Publisher.
func (unheard) Publish([]chat.Event) {}

// office carries out what the operator asks for.
type office struct {
	chat *chat.Service
	keys keyRotator
	page string // where links lead to
	out  io.Writer
}

func (o office) do(ctx context.Context, a Administration) error {
	switch a.Act {
	case "list":
		return o.list(ctx, a.List.Q)
	case "suspend":
		return o.change(ctx, a.Suspend.Name, o.chat.Suspend)
	case "restore":
		return o.change(ctx, a.Restore.Name, o.chat.Restore)
	case "grant":
		return o.change(ctx, a.Grant.Name, o.chat.Appoint)
	case "revoke":
		return o.change(ctx, a.Revoke.Name, o.chat.Dismiss)
	case "sessions":
		return o.sessions(ctx, a.Sessions.Name)
	case "reset-factors":
		return o.change(ctx, a.ResetFactors.Name, o.chat.RemoveFactors)
	case "chats":
		return o.chats(ctx, a.Chats.Q)
	case "retention":
		return o.retention(ctx, a.Retention.Chat, a.Retention.Days)
	case "rotate-bus-key":
		return o.rotate(ctx)
	case "setup-code":
		return o.setupCode(ctx)
	case "invite":
		return o.invite(ctx, a.Invite.Uses, a.Invite.Days)
	case "reset-link":
		return o.resetLink(ctx, a.ResetLink.Name)
	case "jobs":
		return o.jobs(ctx)
	case "retry-job":
		return o.judgeJob(ctx, a.RetryJob, o.chat.ReviveJob, "tried again")
	case "drop-job":
		return o.judgeJob(ctx, a.DropJob, o.chat.DropJob, "given up")
	case "audit":
		return o.audit(ctx, a.Audit.Limit)
	}
	return fmt.Errorf("admin %s: unknown command", a.Act)
}

func (o office) change(ctx context.Context, name string, act func(context.Context, chat.Actor, string) (chat.Account, error)) error {
	a, err := o.chat.AccountNamed(ctx, chat.ByOperator(), name)
	if err == nil {
		a, err = act(ctx, chat.ByOperator(), a.ID)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return o.table(func(row func(...any)) error { row(accountRow(a)...); return nil })
}

func (o office) sessions(ctx context.Context, name string) error {
	a, err := o.chat.AccountNamed(ctx, chat.ByOperator(), name)
	var n int
	if err == nil {
		n, err = o.chat.RevokeSessions(ctx, chat.ByOperator(), a.ID)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	_, err = fmt.Fprintf(o.out, "%d sessions revoked\n", n)
	return err
}

func (o office) list(ctx context.Context, q string) error {
	return o.table(func(row func(...any)) error {
		return eachPage(func(p chat.Page) (string, error) {
			accounts, next, err := o.chat.Accounts(ctx, chat.ByOperator(), q, p)
			for _, a := range accounts {
				row(accountRow(a)...)
			}
			return next, err
		})
	})
}

func accountRow(a chat.Account) []any {
	state := "user"
	if a.Administrator {
		state = "administrator"
	}
	since := ""
	if a.SuspendedAt != nil {
		since = "suspended " + day(*a.SuspendedAt)
	}
	return []any{a.Username, a.ID, state, "since " + day(a.CreatedAt), since}
}

func (o office) chats(ctx context.Context, q string) error {
	return o.table(func(row func(...any)) error {
		return eachPage(func(p chat.Page) (string, error) {
			chats, next, err := o.chat.Retentions(ctx, chat.ByOperator(), q, p)
			for _, c := range chats {
				row(retentionRow(c)...)
			}
			return next, err
		})
	})
}

func retentionRow(r chat.Retention) []any {
	kept := "for ever"
	if r.Days > 0 {
		kept = fmt.Sprintf("%d days", r.Days)
	}
	return []any{r.ChatID, r.Kind, kept, r.Name}
}

func (o office) retention(ctx context.Context, chatID string, days int) error {
	r, err := o.chat.SetRetention(ctx, chat.ByOperator(), chatID, days)
	if err != nil {
		return err
	}
	return o.table(func(row func(...any)) error { row(retentionRow(r)...); return nil })
}

func (o office) audit(ctx context.Context, limit int) error {
	if limit < 1 {
		return errors.New("--limit must be at least 1")
	}
	entries, _, err := o.chat.Audit(ctx, chat.ByOperator(), chat.Page{Limit: limit})
	if err != nil {
		return err
	}
	return o.table(func(row func(...any)) error {
		for _, e := range entries {
			row(e.At.Time().UTC().Format(time.DateTime), e.Actor, e.Action, e.Subject, e.Detail)
		}
		return nil
	})
}

// table prints the rows of fill in columns.
func (o office) table(fill func(row func(...any)) error) error {
	w := tabwriter.NewWriter(o.out, 0, 0, 2, ' ', 0)
	err := fill(func(cells ...any) {
		for _, cell := range cells {
			_, _ = fmt.Fprintf(w, "%s\t", printable(cell)) // w keeps an error until Flush
		}
		_, _ = fmt.Fprintln(w)
	})
	return errors.Join(err, w.Flush())
}

// printable returns a cell as text that cannot move the cursor, colour the terminal or
// begin a line: anybody may choose the name of a chat.
func printable(cell any) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, fmt.Sprint(cell))
}

// eachPage reads a list to its end.
func eachPage(read func(chat.Page) (next string, err error)) error {
	for after := ""; ; {
		next, err := read(chat.Page{After: after, Limit: listPage})
		if err != nil || next == "" {
			return err
		}
		after = next
	}
}

func day(t chat.Time) string { return t.Time().UTC().Format(time.DateOnly) }
