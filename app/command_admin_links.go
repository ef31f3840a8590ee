package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fechatter/chat"
)

// page is where links of the command line lead to.
func page(c Config) string {
	if c.PublicURL != "" {
		return strings.TrimRight(c.PublicURL, "/")
	}
	return "http://" + reachable(c.Listen)
}

func (o office) setupCode(ctx context.Context) error {
	code, needed, err := o.chat.SetupCode(ctx)
	if err != nil {
		return err
	}
	if !needed {
		return errors.New("nobody needs a setup code: there are users, or registration is open")
	}
	_, err = fmt.Fprintf(o.out, "%s/#setup=%s\n", o.page, code)
	return err
}

func (o office) invite(ctx context.Context, uses, days int) error {
	_, code, err := o.chat.Invite(ctx, chat.ByOperator(), chat.NewInvitation{MaxUses: uses, ExpiresIn: time.Duration(days) * 24 * time.Hour})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.out, "%s/#join=%s\n", o.page, code)
	return err
}

func (o office) resetLink(ctx context.Context, name string) error {
	a, err := o.chat.AccountNamed(ctx, chat.ByOperator(), name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	l, err := o.chat.IssueReset(ctx, chat.ByOperator(), a.ID)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.out, "%s/#reset=%s\nIt works once, until %s.\n", o.page, l.Code, l.ExpiresAt.Time().UTC().Format(time.DateTime+" UTC"))
	return err
}
